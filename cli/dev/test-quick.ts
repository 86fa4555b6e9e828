import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OptionsOf } from "../command/declare.ts";
import { declare } from "../command/declare.ts";
import { Stop } from "../command/errors.ts";
import { packageRoot } from "../project/paths.ts";
import { readImports } from "./quick/imports.ts";
import type { Chosen } from "./quick/select.ts";
import { chooseWithin, engineOfChange, partOf, touchedTests } from "./quick/select.ts";
import type { Part } from "./test-parts.ts";
import { runPart, summarize } from "./test-parts.ts";
import { readSeconds } from "./test-seconds.ts";

/** Half a minute less than five minutes, because some tests always take longer than the last time. */
const limitSeconds = 270;
/** Estimates for unknown times: about the times on two cores without other work. */
const typicalSeconds = { start: 20, file: 8 };

export const declaration = declare(
  "test:quick",
  "Runs the unit tests; then the gateway tests that a change can touch, each on one engine, as many as fit into five minutes. The change is what differs from where this branch left REF, committed or not.",
).option("--since <REF>", "a branch, tag or commit", "main");

export async function run({ since }: OptionsOf<typeof declaration>): Promise<undefined> {
  const base = git("merge-base", since, "HEAD")[0] ?? "";
  const untracked = git("ls-files", "--others", "--exclude-standard");
  const changed = [...git("diff", "--name-only", "--no-renames", base), ...untracked];
  const files = [...git("ls-files"), ...untracked].filter((file) => existsSync(join(packageRoot, file)));
  const read = (file: string) => readFileSync(join(packageRoot, file), "utf8");

  const engine = engineOfChange(changed);
  const touched = touchedTests(changed, readImports(files, read), files).map((test) => ({
    ...test,
    part: partOf(test.file, read(test.file), engine),
  }));
  const known = readSeconds();
  const durations = {
    startSeconds: (part: string) => known[part] ?? typicalSeconds.start,
    fileSeconds: (part: string, file: string) => known[`${part} ${file}`] ?? typicalSeconds.file,
  };
  const unitSeconds = known.unit;
  const { chosen, leftOut, seconds } = chooseWithin(touched, engine, durations, limitSeconds - unitSeconds);

  const total = Math.round(unitSeconds + seconds);
  console.log(
    `Files that differ from ${since} (${base.slice(0, 12)}): ${changed.length}. The unit tests, and of the gateway's ${chosen.length}; about ${total} s together:`,
  );
  for (const { part, file, because } of chosen) console.log(`  ${part.padEnd(9)} ${file}  (${because})`);
  sayLeftOut(leftOut);

  const parts: Part[] = [await runPart("unit", [])];
  for (const part of new Set(chosen.map((test) => test.part)))
    parts.push(
      await runPart(
        part,
        chosen.filter((test) => test.part === part).map(({ file }) => file),
      ),
    );
  summarize(parts);
  sayLeftOut(leftOut);
}

function sayLeftOut(tests: readonly Chosen[]): void {
  if (tests.length === 0) return;
  console.log(`LEFT OUT  ${tests.length} tests that the change can touch. npm test runs them:`);
  for (const { file } of tests) console.log(`  ${file}`);
}

/** @returns the lines that git prints */
function git(...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync("git", ["-c", "core.quotePath=false", ...args], {
    cwd: packageRoot,
    encoding: "utf8",
  });
  if (status !== 0)
    throw new Stop(
      `git ${args.join(" ")}: ${stderr?.trim() || "failed"}\nWhat helps: --since REF with a commit that git knows.`,
    );
  return stdout.split("\n").filter(Boolean);
}
