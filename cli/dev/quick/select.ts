import type { Engine } from "../../../servers/database/engines.ts";
import { engines } from "../../../servers/database/engines.ts";
import type { Imports } from "./imports.ts";
import { importersOf } from "./imports.ts";
import { testsOfRoom } from "./rooms.ts";
import { onlyEngine } from "./test-engine.ts";

/** A test that a change can touch. */
export interface Touched {
  file: string;
  /** Number of steps from the changed file; 0 if the test is that file. */
  distance: number;
  /** The nearest changed file. */
  because: string;
}

/** A test, with the part of vitest.config.ts that will run it. */
export interface Chosen extends Touched {
  part: string;
}

/** How long the tests of a part took in the last run; estimated if unknown. */
export interface Durations {
  /** The time from the start of a part to its first test: its server, and vitest. */
  startSeconds(part: string): number;
  fileSeconds(part: string, file: string): number;
}

const isTest = (file: string) => file.endsWith(".test.ts") && !file.startsWith("test/unit/");
const isGatewayTest = (file: string) => file.startsWith("test/gateway/") && isTest(file);

/**
 * The tests that a change can touch, without the unit tests: the tests that import a changed file, and for
 * a file of src the tests of its room. Imports inside src are not followed, because index.ts reaches every
 * file.
 * @param files every file of the project
 * @returns nearest first
 */
export function touchedTests(
  changed: readonly string[],
  imports: Imports,
  files: readonly string[],
): Touched[] {
  const tests = files.filter(isGatewayTest);
  const found = new Map<string, Touched>();
  for (const because of changed) {
    for (const [file, distance] of [...testsOfRoom(because, tests), ...importersOf(because, imports)]) {
      if (isTest(file) && files.includes(file) && distance < (found.get(file)?.distance ?? Infinity))
        found.set(file, { file, distance, because });
    }
  }
  return [...found.values()].sort((a, b) => a.distance - b.distance || (a.file < b.file ? -1 : 1));
}

/**
 * The engine for tests that run on every engine: the engine of the changed files. MySQL if there is none,
 * or if there are several.
 */
export function engineOfChange(changed: readonly string[]): Engine {
  const about = engines.filter((engine) =>
    changed.some((file) => new RegExp(`\\b(?:gateway|database|engines|golden)/${engine}\\b`).test(file)),
  );
  return about.length === 1 && about[0] !== undefined ? about[0] : "mysql";
}

/**
 * The part of vitest.config.ts that runs a test.
 * @param engine for a test that runs on every engine
 */
export function partOf(file: string, text: string, engine: Engine): string {
  if (!file.startsWith("test/gateway/")) return file.split("/")[1] ?? "";
  if (file.startsWith("test/gateway/tidb/")) return "tidb-only";
  return onlyEngine(file, text) ?? engine;
}

/**
 * The gateway tests that fit into the time. The nearest come first; at the same distance those on `engine`,
 * because another part has a server to start; then the shorter ones. The tests of npm start and of the
 * browser are always left out.
 * @param seconds the time for all parts together
 */
export function chooseWithin(
  tests: readonly Chosen[],
  engine: Engine,
  durations: Durations,
  seconds: number,
): { chosen: Chosen[]; leftOut: Chosen[]; seconds: number } {
  const timed = tests.map((test) => ({ test, seconds: durations.fileSeconds(test.part, test.file) }));
  const elsewhere = ({ test }: (typeof timed)[number]) => Number(test.part !== engine);
  timed.sort(
    (a, b) => a.test.distance - b.test.distance || elsewhere(a) - elsewhere(b) || a.seconds - b.seconds,
  );
  const [chosen, leftOut]: [Chosen[], Chosen[]] = [[], []];
  const parts = new Set<string>();
  let sum = 0;
  for (const { test, seconds: own } of timed) {
    const cost = own + (parts.has(test.part) ? 0 : durations.startSeconds(test.part));
    if (!isGatewayTest(test.file) || sum + cost > seconds) {
      leftOut.push(test);
    } else {
      sum += cost;
      parts.add(test.part);
      chosen.push(test);
    }
  }
  return { chosen, leftOut, seconds: sum };
}
