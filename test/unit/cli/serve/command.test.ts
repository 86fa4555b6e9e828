import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { developmentIssuer } from "../../../../cli/project/development-key.ts";
import { packageRoot } from "../../../../cli/project/paths.ts";
import { createSigningKey } from "../../../../servers/issuer/issuer.ts";
import { tryLock } from "../../../../servers/lock.ts";

/** What `tidegate serve` refuses, in a project of its own. Nothing is started. */

// Each run starts Node, and some of them the bundler.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let project: string;
const path = (name: string) => join(project, name);
const secrets = { ANALYST_PASSWORD: "one secret", EDITOR_PASSWORD: "another secret" };

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "tidegate-serve-"));
  for (const name of ["queries", "queries.lock"]) {
    cpSync(join(packageRoot, "sample", name), path(name), { recursive: true });
  }
  const sample = readFileSync(join(packageRoot, "sample", "tidegate.toml"), "utf8");
  const production = sample.slice(sample.indexOf("[env.production.cluster]"));
  const named = (name: string, change: (text: string) => string = (text) => text) =>
    change(production.replaceAll("env.production", `env.${name}`));
  const bound = 'link = "hyperdrive"\ncaching = "disabled"';
  const texts = [
    "version = 1",
    named("good"),
    named("trial").concat(`
[[env.trial.issuers]]
issuer = "${developmentIssuer}"
audience = "tidegate"
jwks = "ca/trial.development.jwks.json"
algorithms = ["ES256"]
`),
    named("runtime", (text) => text.replace('trust = "public"', 'trust = "runtime"')),
    named("bad", (text) => text.replace('engine = "mysql"', 'engine = "oracle"')),
    named("hyper", (text) =>
      text
        .replace(/^hosts = .*\n/m, "")
        .replace(/^link = .*\ntrust = .*$/m, bound)
        .replace(/^location = .*\n/m, "")
        .replace(/^acts_as = .*\n/gm, "")
        .replace(/^shards = .*\n/gm, "")
        .replace(
          /^(user = "gw_(.*)")\npassword = .*$/gm,
          (_, user: string, name: string) => `${user}\nhyperdrive = "${name.toUpperCase()}_DB"`,
        )
        .concat(
          ...["ANALYST_DB", "EDITOR_DB"].map(
            (name) => `\n[[env.hyper.worker.hyperdrive]]\nbinding = "${name}"\nid = "${name}"\n`,
          ),
        ),
    ),
  ];
  writeFileSync(path("tidegate.toml"), texts.join("\n"));
  const { publicJwk } = await createSigningKey("ES256");
  mkdirSync(path("ca"));
  writeFileSync(path("ca/trial.development.jwks.json"), JSON.stringify({ keys: [publicJwk] }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

const serve = (words: string[], environment?: Record<string, string>) =>
  run(["serve", ...words], environment);

function run(words: string[], environment: Record<string, string> = secrets): Promise<Ended> {
  const script = [join(packageRoot, "cli", "tidegate.ts"), ...words];
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, script, { cwd: project, env: { ...inherited, ...environment } });
  const ended = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => {
    ended.stdout += text;
  });
  child.stderr.on("data", (text) => {
    ended.stderr += text;
  });
  return new Promise((resolve) => child.once("close", (status) => resolve({ status, ...ended })));
}

/** One line, which says what is wrong and what to do: 2. */
async function expectRefusal(ended: Promise<Ended>, line: RegExp | string): Promise<void> {
  const { status, stdout, stderr } = await ended;
  // Node itself warns of NODE_EXTRA_CA_CERTS.
  const lines = stderr.trimEnd().split("\n");
  expect(lines.filter((text) => !text.startsWith("Warning: Ignoring extra certs"))).toEqual([
    expect.stringMatching(line),
  ]);
  expect([status, stdout]).toEqual([2, ""]);
  for (const secret of Object.values(secrets)) expect(stderr).not.toContain(secret);
}

test("a mistake of the policy", async () => {
  await expectRefusal(serve(["--env", "bad"]), /\[env\.bad\].*cluster\.engine/);
});

test("what plain workerd cannot honour, with the alternatives", async () => {
  await expectRefusal(serve(["--env", "runtime"]), /^cluster\.trust: "runtime" needs .*NODE_EXTRA_CA_CERTS/);
  const extra = { ...secrets, NODE_EXTRA_CA_CERTS: path("nowhere.pem") };
  await expectRefusal(serve(["--env", "runtime"], extra), /^NODE_EXTRA_CA_CERTS=.*there is no such file/);
  await expectRefusal(serve(["--env", "hyper"]), /^cluster\.link: "hyperdrive" exists on Cloudflare only/);
});

test("a port that is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const listen = ["--listen", `127.0.0.1:${port}`];
  await expectRefusal(serve(["--env", "good", ...listen]), /another program listens there.*--listen/);
  server.close();
});

test("a secret that is missing, in a line with the ways to give it", async () => {
  const ended = serve(["--env", "good", "--listen", "127.0.0.1:0"], { ANALYST_PASSWORD: "one secret" });
  await expectRefusal(
    ended,
    /^The secret EDITOR_PASSWORD is missing: .*EDITOR_PASSWORD_FILE=.*\.dev\.vars\.good/,
  );
});

test("only build aims a plain wrangler deploy", async () => {
  const aim = path(".wrangler/deploy/config.json");
  rmSync(aim, { force: true });
  const elsewhere = { TIDEGATE_DIRECTORY: "elsewhere" };
  await expectRefusal(
    serve(["--env", "good", "--listen", "127.0.0.1:0"], { EDITOR_PASSWORD: "one" }),
    /^The secret ANALYST_PASSWORD/,
  );
  expect([existsSync(path(".tidegate/good/wrangler.json")), existsSync(aim)]).toEqual([true, false]);
  expect((await run(["build", "--env", "good"], elsewhere)).status).toBe(0);
  expect(existsSync(aim)).toBe(false);
  const { alias } = JSON.parse(readFileSync(path("elsewhere/good/wrangler.json"), "utf8"));
  expect(alias).toEqual({ "#application": realpathSync(path("elsewhere/good/application.json")) });
  expect((await run(["build", "--env", "good"])).status).toBe(0);
  expect(JSON.parse(readFileSync(aim, "utf8"))).toEqual({ configPath: "../../.tidegate/good/wrangler.json" });
});

test("a folder for the state that is a file, or that another gateway has", async () => {
  const words = ["--env", "good", "--listen", "127.0.0.1:0", "--state"];
  writeFileSync(path("file"), "");
  await expectRefusal(serve([...words, path("file")]), /^Cannot write into .*file .*--state/);
  mkdirSync(path("taken"));
  const lock = tryLock(path("taken/lock"));
  await expectRefusal(
    serve([...words, path("taken")]),
    new RegExp(`^Another gateway keeps its data in .*taken \\(process ${process.pid}\\)`),
  );
  if ("release" in lock) lock.release();
});

test("a program that cannot be written", async () => {
  await expectRefusal(
    serve(["--env", "good", "--compile", path("nowhere/gateway")]),
    /^Cannot write .*--compile/,
  );
});

describe("an environment that accepts tokens of the project's own key", () => {
  test.each([
    [["--trust-proxy", "127.0.0.1"], "--trust-proxy"],
    [["--listen", "0.0.0.0:0"], "--listen 0\\.0\\.0\\.0:0"],
    [["--compile", "gateway", "--listen", "[::]:0"], "--compile and --listen \\[::\\]:0"],
  ])("is not served to others: %j", async (words, options) => {
    await expectRefusal(
      serve(["--env", "trial", ...words]),
      new RegExp(
        `^Not served: \\[env\\.trial\\] accepts .* -- --env trial --issuer URL.*; or leave out ${options}\\.$`,
      ),
    );
    expect(existsSync(path(".tidegate/trial"))).toBe(false);
  });

  test("is served to this machine, with a warning", async () => {
    const { status, stderr } = await serve(["--env", "trial", "--listen", "127.0.0.1:0"], {});
    expect(stderr).toMatch(
      /^trial: WARNING: issuers: it accepts tokens of this project's own key, [^\n]*\nThe secret /,
    );
    expect(status).toBe(2);
  });

  test("is not what a plain wrangler deploy takes, and no build of such a deployment succeeds", async () => {
    const redirect = path(".wrangler/deploy/config.json");
    const line = /^A plain wrangler deploy does not take trial: [^\n]*\n$/;
    expect((await run(["build", "--env", "good"], {})).stderr).toBe("");
    const before = readFileSync(redirect, "utf8");
    const beside = await run(["build", "--env", "trial"], {});
    expect([beside.status, beside.stderr]).toEqual([0, expect.stringMatching(line)]);
    expect(readFileSync(redirect, "utf8")).toBe(before);
    // As it is after a build before the key came.
    writeFileSync(redirect, before.replace("good", "trial"));
    const { status, stderr } = await run(["build", "--env", "trial"], { WRANGLER_COMMAND: "deploy" });
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^Not deployed: \[env\.trial\] accepts [^\n]*\n$/),
    ]);
    expect((await run(["build", "--env", "trial"], {})).status).toBe(0);
    expect(existsSync(redirect)).toBe(false);
  });
});
