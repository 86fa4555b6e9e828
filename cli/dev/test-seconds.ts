/** How long each part and each gateway test took the last time, so that npm run test:quick knows what fits. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { packageRoot, privateDirectory } from "../project/paths.ts";

function secondsFile(): string {
  return join(privateDirectory(), "test", "seconds.json");
}

/** When a test file ran, in milliseconds since the epoch: from the start of its first test to the end of its last one. */
export interface TestFileTimes {
  /** Its whole path. */
  name: string;
  startTime: number;
  endTime: number;
}

/** `part` → the seconds of all that is no test file's; `part file` → those of the file. */
export type Seconds = Record<string, number>;

/** As it is on two cores that have nothing else to do. */
const typical = { unit: 80 };

export function readSeconds(): Seconds & typeof typical {
  try {
    return { ...typical, ...JSON.parse(readFileSync(secondsFile(), "utf8")) };
  } catch {
    return typical;
  }
}

/** Keeps what a run took. One that was given options took part of a file only, and tells nothing. */
export function recordSeconds(
  part: string,
  args: readonly string[],
  seconds: number,
  files: readonly TestFileTimes[],
): void {
  if (args.some((arg) => arg.startsWith("-"))) return;
  // Unit tests run side by side: all of them together have a time, one of them has not.
  if (part === "unit" && args.length > 0) return;
  const measured = part === "unit" ? { unit: seconds } : secondsOf(part, seconds, files);
  const path = secondsFile();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(learn(readSeconds(), measured), null, 2)}\n`);
}

/** One run of a busy machine raises a known time by half at most: else nothing would fit the next time. */
export function learn(known: Seconds, measured: Seconds): Seconds {
  const learned = { ...known };
  for (const [key, seconds] of Object.entries(measured))
    learned[key] = round(Math.min(seconds, (known[key] ?? Infinity) * 1.5));
  return learned;
}

/**
 * One file runs after another: from the end of one to the end of the next all is the next one's, its gateway too.
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
