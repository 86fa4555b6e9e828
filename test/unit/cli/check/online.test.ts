import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";
import { freePort } from "../../../../servers/network.ts";

// Node starts.
vi.setConfig({ testTimeout: 120_000 });

const project = mkdtempSync(join(tmpdir(), "tidegate-online-"));
afterAll(() => rmSync(project, { recursive: true, force: true }));

test("check --online ends with 2 where an issuer cannot be reached: nothing is known of it", async () => {
  const port = await freePort();
  const policy = `version = 1
[env.development.cluster]
engine = "mysql"
hosts = ["db.example:3306"]
link = "platform"
trust = "public"
database = "shop"
[env.development.accounts.reader]
user = "reader"
password = "READER_PASSWORD"
[[env.development.issuers]]
issuer = "http://127.0.0.1:${port}"
audience = "tidegate"
discovery = true
algorithms = ["ES256"]
[[env.development.grants]]
issuer = "http://127.0.0.1:${port}"
claims = { role = "reader" }
account = "reader"
allow = ["sql:read"]
`;
  writeFileSync(join(project, "tidegate.toml"), policy);
  const program = join(packageRoot, "cli", "tidegate.ts");
  const words = [program, "check", "--env", "development", "--online"];
  const ended = await new Promise((resolve) => {
    execFile(process.execPath, words, { cwd: project }, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, stdout, stderr }),
    ).stdin?.end();
  });
  expect(ended).toEqual({
    status: 2,
    stdout: "development: good\n",
    stderr: expect.stringMatching(
      /^development, online: could not be tried: issuers\[0\], [^\n]* cannot be reached: No program listens on [^\n]*\n$/,
    ),
  });
});
