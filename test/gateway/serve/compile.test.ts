// Runs on mariadb only: the engine has no part in what it tests.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { freePort } from "../../../servers/network.ts";
import { audience, read, server } from "../support/harness.ts";
import { issuer, run, writeProject } from "./project.ts";

/** `tidegate serve --compile`: one program that serves, with secrets from its environment and data on the disk. */

const key = await createSigningKey();
const directory = writeProject("compile", key);
const program = join(directory, "gateway");
// 160 MB.
afterAll(() => rmSync(program, { force: true }));

test("the program answers a query, knows its keys after a restart and has no secret in it", async () => {
  const port = await freePort();
  const state = join(directory, "data");
  mkdirSync(state);
  const compiled = run(directory, ["--listen", `127.0.0.1:${port}`, "--compile", program], {});
  expect(await compiled.exited, compiled.stderr.join("\n")).toEqual({ code: 0, signal: null });

  const token = await mint(key, { iss: issuer, aud: audience, sub: "someone", role: "editor" });
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "idempotency-key": `"compiled ${port}"`,
  };
  const body = JSON.stringify({
    sql: "INSERT INTO notes (city_id, author, body) VALUES (1, 'compiled', 'x')",
  });
  const answers: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const child = spawn(program, [`--directory-path=state=${state}`], {
      env: server.passwords,
      stdio: "ignore",
    });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    const url = `http://127.0.0.1:${port}`;
    const live = () =>
      fetch(`${url}/livez`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(live, { timeout: 60_000 }).toBe(200);
    const answer = await read(await fetch(`${url}/v1/sql`, { method: "POST", headers, body }));
    answers.push([answer.status, answer.headers.get("idempotency-replayed"), answer.body.last_insert_id]);
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  }
  const [[, , id]] = answers as [[unknown, unknown, unknown]];
  expect(answers).toEqual([
    [200, null, id],
    [200, "true", id],
  ]);
  const bytes = readFileSync(program);
  for (const secret of Object.values(server.passwords)) expect(bytes.includes(secret)).toBe(false);
});
