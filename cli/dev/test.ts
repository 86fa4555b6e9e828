import { declare } from "../command/declare.ts";
import type { Part } from "./test-parts.ts";
import { runPart, summarize } from "./test-parts.ts";

export const declaration = declare(
  "test",
  "Runs every test, or those that vitest's arguments choose: files, -t NAME.",
)
  .argument("[vitest's arguments...]")
  .allowUnknownOption();

/**
 * Runs every part in its own process, since each has its own server and workerd. Then prints the time of
 * each part, the failed tests, and one summary line. Two engines run side by side, because their tests wait
 * more than they compute.
 */
export async function run(_options: object, words: string[]): Promise<undefined> {
  const inTurn = async (...names: string[]) => {
    const done: Part[] = [];
    for (const name of names) done.push(await runPart(name, words));
    return done;
  };
  summarize([
    ...(await inTurn("unit")),
    ...(
      await Promise.all([
        inTurn("start", "browser", "package", "mariadb", "tidb-only"),
        inTurn("mysql", "tidb"),
      ])
    ).flat(),
  ]);
}
