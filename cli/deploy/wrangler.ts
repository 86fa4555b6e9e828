import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { RunResult } from "../../servers/run.ts";
import { run } from "../../servers/run.ts";
import { packageProgram, projectRoot } from "../project/paths.ts";

/** Runs the wrangler of Tidegate's package, and reads what it says for programs. */

/** What a run has left. */
export interface Ran {
  status: number;
  /** Empty if the run was shown. */
  stdout: string;
  /** wrangler's sentence if it failed; the first line. */
  failure: string;
  /** Cloudflare's number of the error, if its API refused: https://developers.cloudflare.com/workers/observability/errors/ */
  code: number | undefined;
  /** Of `wrangler deploy`. */
  deployed: Deployed | undefined;
}

/** The entry "deploy" of wrangler's output file. After a dry run it has the size alone. */
export interface Deployed {
  version_id?: string | null;
  /** Addresses and routes, as wrangler prints them. */
  targets?: string[];
  bundle_size?: { raw_bytes: number; gzip_bytes: number };
}

interface Entry extends Deployed {
  type: string;
  message?: string;
  code?: number;
}

/** Cloudflare's API has no such Worker, or none of its versions is deployed. */
export const noSuchWorker = [10_007, 10_090];

/**
 * @param shown whether the user sees wrangler's output, and can answer its questions
 * @returns after its end, also if it failed
 */
export async function runWrangler(words: readonly string[], { shown = false } = {}): Promise<Ran> {
  const directory = mkdtempSync(join(tmpdir(), "tidegate-wrangler-"));
  const output = join(directory, "output.ndjson");
  try {
    const { status, stdout, stderr } = await runProgram(words, output, shown);
    const entries = readEntries(output);
    const failed = entries.find(({ type }) => type === "command-failed");
    return {
      status,
      stdout,
      failure: firstLine(failed?.message ?? stderr),
      code: failed?.code,
      deployed: entries.find(({ type }) => type === "deploy"),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runProgram(words: readonly string[], output: string, shown: boolean): Promise<RunResult> {
  const program = packageProgram("wrangler");
  const cwd = projectRoot();
  const env = {
    ...process.env,
    WRANGLER_OUTPUT_FILE_PATH: output,
    // wrangler runs `tidegate build`, which does not know that nothing is uploaded.
    ...(words.includes("--dry-run") && { TIDEGATE_DRY_RUN: "1" }),
    WRANGLER_SEND_METRICS: process.env.WRANGLER_SEND_METRICS ?? "false",
  };
  if (!shown) return await run(program, [...words], { cwd, env });
  const child = spawn(program, words, { cwd, env, stdio: "inherit" });
  const status = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  return { status, stdout: "", stderr: "" };
}

function readEntries(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Entry);
}

function firstLine(text: string): string {
  const lines = stripVTControlCharacters(text).split("\n");
  return lines.find((line) => line.trim() !== "")?.trim() ?? "no reason given";
}
