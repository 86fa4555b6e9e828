/**
 * npm test [-- VITEST'S ARGUMENTS]: every part, since each has a server and a workerd of its own, then how long each
 * took, what failed, and one summary line. Two engines run side by side: their tests wait more than they compute.
 */
import type { Part } from "./test-parts.ts";
import { runPart, summarize } from "./test-parts.ts";

const rest = process.argv.slice(2);
summarize([
  await runPart("unit", rest),
  ...(
    await Promise.all([inTurn("start", "browser", "mariadb", "tidb-only"), inTurn("mysql", "tidb")])
  ).flat(),
]);

async function inTurn(...names: string[]): Promise<Part[]> {
  const done: Part[] = [];
  for (const name of names) done.push(await runPart(name, rest));
  return done;
}
