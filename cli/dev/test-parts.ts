/**
 * The parts of vitest.config.ts, as npm test and npm run test:quick run them: one process for each part,
 * and its report.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageProgram, packageRoot } from "../project/paths.ts";
import { wranglerVariables } from "../project/wrangler.ts";
import type { TestFileTimes } from "./test-seconds.ts";
import { recordSeconds, testDirectory } from "./test-seconds.ts";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** The tests that failed: file and name. */
  failures: string[];
}

export interface Part extends Counts {
  name: string;
  seconds: number;
  /** Why the part could not run. This is not a failure. */
  unavailable?: string;
}

/** The fields of vitest's reporter "json" that are read here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: (TestFileTimes & {
    status: string;
    assertionResults: { status: string; fullName: string }[];
  })[];
}

/**
 * Runs one part.
 * @param name the part's name in vitest.config.ts
 * @param args for vitest: files, options
 */
export async function runPart(name: string, args: readonly string[]): Promise<Part> {
  const started = performance.now();
  const path = join(testDirectory, `report-${name}.json`);
  mkdirSync(testDirectory, { recursive: true });
  rmSync(path, { force: true });
  const unavailable = join(testDirectory, `unavailable-${name}`);
  rmSync(unavailable, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${path}`];
  const child = spawn(
    packageProgram("vitest"),
    ["run", "--project", name, "--passWithNoTests", ...reporters, ...args],
    {
      cwd: packageRoot,
      stdio: "inherit",
      env: {
        ...process.env,
        ...wranglerVariables(),
        ...(mayBeMissing(name) ? { TIDEGATE_UNAVAILABLE: unavailable } : {}),
      },
    },
  );
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const seconds = (performance.now() - started) / 1000;
  if (existsSync(unavailable))
    return { name, seconds, ...none(), unavailable: readFileSync(unavailable, "utf8") };
  const report = readReport(path);
  const counts = report === undefined ? none() : countsOf(report);
  if (report !== undefined) recordSeconds(name, args, seconds, report.testResults);
  // A crash outside the tests (a server that does not start) fails no test. It must not look like success.
  if (status !== 0 && counts.failed === 0) {
    counts.failed = 1;
    counts.failures.push("something outside the tests");
  }
  return { name, seconds, ...counts };
}

/** Prints the time of each part, the failed tests, and one summary line; sets the exit code. */
export function summarize(parts: readonly Part[]): void {
  const sum = (key: "passed" | "failed" | "skipped") => parts.reduce((total, part) => total + part[key], 0);
  console.log();
  for (const { name, seconds, passed, failed, skipped, unavailable } of parts) {
    if (unavailable !== undefined) console.log(`SKIPPED   ${name}: all of it. ${unavailable}`);
    else
      console.log(
        `${name.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s   ${passed} passed, ${failed} failed, ${skipped} skipped`,
      );
  }
  for (const { name, failures } of parts) {
    for (const failure of failures) console.log(`FAILED    ${name}: ${failure}`);
  }
  console.log(`tests: ${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  if (sum("failed") > 0 || sum("passed") === 0) process.exitCode = 1;
}

/** Every machine can have MySQL and MariaDB. TiDB needs a program, Docker or Go. CI demands all three. */
function mayBeMissing(name: string): boolean {
  return name.startsWith("tidb") && !process.env.CI && !process.env.TIDEGATE_TIDB;
}

function none(): Counts {
  return { passed: 0, failed: 0, skipped: 0, failures: [] };
}

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function countsOf(report: Report): Counts {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: report.testResults.flatMap(failuresOf),
  };
}

function failuresOf({ name, status, assertionResults }: Report["testResults"][number]): string[] {
  const file = name.replace(`${packageRoot}/`, "");
  const failed = assertionResults.filter((test) => test.status === "failed");
  // If a file's hooks fail, it has no failed test, so report the file.
  if (failed.length === 0) return status === "failed" ? [file] : [];
  return failed.map(({ fullName }) => `${file}: ${fullName}`);
}
