/**
 * npm test [-- VITEST'S ARGUMENTS]: every part in turn, since each has a server and a workerd of its own,
 * then one summary line and how long each part took.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./application.ts";
import { privateDirectory } from "./development.ts";
import { wranglerVariables } from "./wrangler.ts";

interface Part {
  name: string;
  seconds: number;
  passed: number;
  failed: number;
  skipped: number;
}

const parts = ["unit", "start", "browser", "mysql", "mariadb"].map((name) =>
  run(name, process.argv.slice(2)),
);
const sum = (key: "passed" | "failed" | "skipped") => parts.reduce((total, part) => total + part[key], 0);

console.log();
for (const { name, seconds, passed, failed, skipped } of parts) {
  console.log(
    `${name.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s   ${passed} passed, ${failed} failed, ${skipped} skipped`,
  );
}
console.log(`tests: ${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
if (sum("failed") > 0 || sum("passed") === 0) process.exitCode = 1;

function run(name: string, rest: string[]): Part {
  const started = performance.now();
  const report = join(privateDirectory, "test", `report-${name}.json`);
  mkdirSync(join(privateDirectory, "test"), { recursive: true });
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules", ".bin", "vitest");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { status } = spawnSync(
    vitest,
    ["run", "--project", name, "--passWithNoTests", ...reporters, ...rest],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, ...wranglerVariables },
    },
  );
  const counts = readReport(report);
  // A crash outside the tests (a server that does not start) fails no test, and must not look like success.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return { name, seconds: (performance.now() - started) / 1000, ...counts };
}

function readReport(path: string): { passed: number; failed: number; skipped: number } {
  try {
    const report = JSON.parse(readFileSync(path, "utf8"));
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
