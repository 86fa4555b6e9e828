/**
 * npm test [-- VITEST'S ARGUMENTS]: every part, since each has a server and a workerd of its own, then how long each
 * took, what failed, and one summary line. Two engines run side by side: their tests wait more than they compute.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../project/application.ts";
import { wranglerVariables } from "../project/wrangler.ts";
import { privateDirectory } from "./development.ts";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** The tests that failed: file and name. */
  failures: string[];
}

interface Part extends Counts {
  name: string;
  seconds: number;
  /** Why the part could not run, which is no failure. */
  unavailable?: string;
}

/** What vitest's reporter "json" writes, as far as it is read here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

const rest = process.argv.slice(2);
const parts = [
  await run("unit"),
  ...(
    await Promise.all([inTurn("start", "browser", "mariadb", "tidb-only"), inTurn("mysql", "tidb")])
  ).flat(),
];
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

async function inTurn(...names: string[]): Promise<Part[]> {
  const done: Part[] = [];
  for (const name of names) done.push(await run(name));
  return done;
}

async function run(name: string): Promise<Part> {
  const started = performance.now();
  const report = join(privateDirectory, "test", `report-${name}.json`);
  mkdirSync(join(privateDirectory, "test"), { recursive: true });
  rmSync(report, { force: true });
  const unavailable = join(privateDirectory, "test", `unavailable-${name}`);
  rmSync(unavailable, { force: true });
  const vitest = join(root, "node_modules", ".bin", "vitest");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn(vitest, ["run", "--project", name, "--passWithNoTests", ...reporters, ...rest], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      ...wranglerVariables,
      ...(mayBeMissing(name) ? { TIDEGATE_UNAVAILABLE: unavailable } : {}),
    },
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const seconds = (performance.now() - started) / 1000;
  if (existsSync(unavailable))
    return { name, seconds, ...none(), unavailable: readFileSync(unavailable, "utf8") };
  const counts = readReport(report);
  // A crash outside the tests (a server that does not start) fails no test, and must not look like success.
  if (status !== 0 && counts.failed === 0) {
    counts.failed = 1;
    counts.failures.push("something outside the tests");
  }
  return { name, seconds, ...counts };
}

/** MySQL and MariaDB can be had on every machine, TiDB where a program, Docker or Go is. CI demands all three. */
function mayBeMissing(name: string): boolean {
  return name.startsWith("tidb") && !process.env.CI && !process.env.TIDEGATE_TIDB;
}

function none(): Counts {
  return { passed: 0, failed: 0, skipped: 0, failures: [] };
}

function readReport(path: string): Counts {
  try {
    const report: Report = JSON.parse(readFileSync(path, "utf8"));
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
      failures: report.testResults.flatMap(failuresOf),
    };
  } catch {
    return none();
  }
}

function failuresOf({ name, status, assertionResults }: Report["testResults"][number]): string[] {
  const file = name.replace(`${root}/`, "");
  const failed = assertionResults.filter((test) => test.status === "failed");
  // A file whose hooks fail has no test that did.
  if (failed.length === 0) return status === "failed" ? [file] : [];
  return failed.map(({ fullName }) => `${file}: ${fullName}`);
}
