/**
 * How long each part and each gateway test took in the last run. npm run test:quick chooses by these times.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { packageRoot } from "../project/paths.ts";

/** The folder of what the tests write. */
export const testDirectory = join(packageRoot, ".tidegate", "test");

const secondsFile = join(testDirectory, "seconds.json");

/**
 * The time of a test file's run, in milliseconds since the epoch: from the start of its first test to the
 * end of its last one.
 */
export interface TestFileTimes {
  /** Its full path. */
  name: string;
  startTime: number;
  endTime: number;
}

/** `part` → the seconds outside all test files; `part file` → the seconds of the file. */
export type Seconds = Record<string, number>;

/** The times on two cores without other work. */
const typical = { unit: 80 };

export function readSeconds(): Seconds & typeof typical {
  try {
    return { ...typical, ...JSON.parse(readFileSync(secondsFile, "utf8")) };
  } catch {
    return typical;
  }
}

/** Keeps the times of a run. A run with options runs only a part of a file, so its times are not kept. */
export function recordSeconds(
  part: string,
  args: readonly string[],
  seconds: number,
  files: readonly TestFileTimes[],
): void {
  if (args.some((arg) => arg.startsWith("-"))) return;
  // Unit tests run side by side, so only all of them together have a time.
  if (part === "unit" && args.length > 0) return;
  const measured = part === "unit" ? { unit: seconds } : secondsOf(part, seconds, files);
  const path = secondsFile;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(learn(readSeconds(), measured), null, 2)}\n`);
}

/**
 * One run on a busy machine raises a known time by half at most. Otherwise no test would fit the next time.
 */
export function learn(known: Seconds, measured: Seconds): Seconds {
  const learned = { ...known };
  for (const [key, seconds] of Object.entries(measured))
    learned[key] = round(Math.min(seconds, (known[key] ?? Infinity) * 1.5));
  return learned;
}

/**
 * Files run one after another. So the time from the end of one file to the end of the next belongs to the
 * next file, with its gateway.
 * @param seconds of the whole part
 */
export function secondsOf(part: string, seconds: number, files: readonly TestFileTimes[]): Seconds {
  const found: Seconds = {};
  const ran = files
    .filter(({ startTime, endTime }) => endTime > startTime)
    .sort((a, b) => a.endTime - b.endTime);
  let start = seconds;
  for (const [index, { name, startTime, endTime }] of ran.entries()) {
    const own = (endTime - (ran[index - 1]?.endTime ?? startTime)) / 1000;
    found[`${part} ${relative(packageRoot, name)}`] = round(own);
    start -= own;
  }
  return ran.length === 0 ? {} : { [part]: round(start), ...found };
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
