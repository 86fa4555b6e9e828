import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Development } from "../../cli/project/development.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { which } from "../../servers/run.ts";
import type { NpmStart } from "./npm-start.ts";

/**
 * The lines that a newcomer pastes into a shell: those that `npm start` prints, and the examples of
 * docs/reference/http.md.
 */

export const hasCurl = which("curl") !== undefined;

export interface Pasted {
  status: number;
  body: string;
}

type Paste = (line: string) => Pasted;

/** Pastes a line into a shell. @param directory of the running `npm start` */
export function pasteInto(directory: string, line: string): Pasted {
  const { stdout, status } = spawnSync("bash", ["-c", line.replace(/^curl /, "curl -s ")], {
    encoding: "utf8",
    env: { ...process.env, TIDEGATE_DIRECTORY: directory },
  });
  return { status: status ?? 1, body: stdout };
}

/** Cities of New Zealand, by the example of the saved query, and of Japan. */
const largest = [
  ["Auckland", "Wellington", "Christchurch"],
  ["Tokyo", "Yokohama", "Osaka"],
] as const;

/** @param index of a saved query's line, or of a statement's */
export function expectPrinted({ output }: Pick<NpmStart, "output">, index: 0 | 1, paste: Paste): void {
  const lines = output.split("\n").filter((line) => line.startsWith("curl "));
  expect(lines).toHaveLength(2);
  const { status, body } = paste(lines[index] ?? "");
  expect(status).toBe(0);
  const names = JSON.parse(body).rows.map(({ name }: { name: string }) => name);
  expect(names).toEqual(largest[index]);
}

/** Pastes every example of docs/reference/http.md, in its order. */
export function expectExamples({ gateway, tokens }: Development, paste: Paste): void {
  const blocks = [
    ...readFileSync(join(packageRoot, "docs", "reference", "http.md"), "utf8").matchAll(
      /```sh\n([\s\S]*?)```/g,
    ),
  ];
  expect(blocks.length).toBeGreaterThanOrEqual(5);
  let transaction = "";
  for (const [, block = ""] of blocks) {
    const settings = `GATEWAY=${gateway} TOKEN=${tokens.analyst} EDITOR_TOKEN=${tokens.editor} OPERATOR_TOKEN=${tokens.operator} TRANSACTION=${transaction}; `;
    // The gateway keeps the answer of an earlier run under the example's key for a day.
    const example = block
      .replace(/^curl /, "curl -s ")
      .replace(/(?<=Idempotency-Key: ")[\w-]+/, randomUUID());
    const run = () => paste(settings + example).body;
    const body = run();
    if (block.includes("/metrics")) {
      expect(body).toMatch(/^tidegate_shard_up\{account="analyst",shard="0"\} 1$/m);
      continue;
    }
    // A line for the columns, two rows, and for NDJSON the trailer.
    if (block.includes("Accept: text/csv")) {
      expect(body.split("\r\n")).toHaveLength(4);
      continue;
    }
    if (block.includes("Accept: application/x-ndjson")) {
      expect(body.trim().split("\n")).toHaveLength(4);
      expect(body).toMatch(/\{"rows_affected":.*\}\n$/);
      continue;
    }
    const answer = JSON.parse(body);
    expect(answer.code, block).toBeUndefined();
    const said =
      answer.rows ??
      answer.results ??
      answer.id ??
      answer.status ??
      answer.resource ??
      answer.accounts ??
      answer.stopped ??
      answer.databases ??
      answer.rows_affected ??
      answer.queries ??
      answer.openapi;
    expect(said, block).toBeTruthy();
    if (block.includes("Idempotency-Key")) expect(run()).toBe(body);
    if (answer.id) transaction = answer.id;
    if (answer.results) expect(answer.results[1].rows).toHaveLength(1);
    if (answer.rows) expect(answer.rows).toHaveLength(2);
    if (answer.databases) expect(answer.databases[0].tables[0].columns).toHaveLength(5);
    if (block.includes("If-None-Match")) expect(answer.status).toBe(304);
  }
}
