import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";

/**
 * The real program in a real folder, with each kind of bad input: one line on standard error that names it and the remedy,
 * exit code 2, and nothing half-written.
 */

// A case starts Node for every command, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

interface Run {
  cwd: string;
  /** A user without rights. */
  uid?: number;
  /** As a full disk: no file takes a byte. */
  full?: boolean;
}

const program = join(packageRoot, "cli", "tidegate.ts");
const folder = mkdtempSync(join(tmpdir(), "tidegate-bad-input-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A port of this machine where no program listens. */
let closed: number;
beforeAll(async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closed = (server.address() as { port: number }).port;
  await new Promise((resolve) => server.close(resolve));
});

async function type(words: readonly string[], { cwd, uid, full }: Run): Promise<Ended> {
  const known = { ANALYST_PASSWORD: "SECRET", EDITOR_PASSWORD: "SECRET", TIDEGATE_TOKEN: "SECRET" };
  const env = { ...process.env, npm_lifecycle_event: "", HOME: folder, ...known };
  const [file, args] = full
    ? ["/bin/sh", ["-c", 'ulimit -f 0 && exec "$@"', "sh", process.execPath, program, ...words]]
    : [process.execPath, [program, ...words]];
  return await new Promise((resolve) => {
    const options = { cwd, env, ...(uid !== undefined && { uid, gid: uid }) };
    execFile(file as string, args as string[], options, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    ).stdin?.end();
  });
}

/** @returns a project: the sample, without what was built of it */
function project(change: (folder: string) => void = () => {}): string {
  const made = mkdtempSync(join(folder, "project-"));
  for (const name of ["tidegate.toml", "queries", "queries.lock", "generated"])
    cpSync(join(packageRoot, "sample", name), join(made, name), { recursive: true });
  change(made);
  return made;
}

/** @returns every file below a folder with its time; folders that are empty do not count */
function filesIn(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).mtimeMs}`)
    .sort();
}

/** @param names what its line must name */
async function expectRefusal(words: readonly string[], run: Run, names: string | RegExp): Promise<void> {
  const before = filesIn(run.cwd);
  const { status, stdout, stderr } = await type(words, run);
  // What check found before it asked the database is told too.
  const lines = stderr
    .trimEnd()
    .split("\n")
    .filter((line) => !line.includes(": WARNING: "));
  const said = `${words.join(" ")}\n${stdout}${stderr}`;
  expect([status, lines.length], said).toEqual([2, 1]);
  expect(lines[0], said).toMatch(names);
  expect(stdout + stderr, said).not.toMatch(/^ {4}at |SECRET/m);
  expect(filesIn(run.cwd), said).toEqual(before);
}

const production = ["--env", "production"];

/** Each reads the project; connect and start say more than one line, and have tests of their own. */
const reading: Record<string, string[]> = {
  check: ["check", ...production],
  generate: ["generate", ...production],
  accounts: ["accounts", ...production],
  scaffold: ["scaffold", "--table", "notes", ...production],
  import: ["import", "app", ...production],
  explain: ["explain", "--token", "a.b.c", ...production],
  build: ["build", ...production],
  deploy: ["deploy", "--dry-run", ...production],
  drain: ["drain", "--url", "https://gateway.example", ...production],
};

/** A change of a project, and what each command says of it. */
const broken: [string, (folder: string) => void, RegExp][] = [
  [
    "there is no project",
    (at) => rmSync(join(at, "tidegate.toml")),
    /^There is no project here: neither .* has tidegate\.toml\. Go to the project's folder/,
  ],
  [
    "tidegate.toml is not TOML",
    (at) => writeFileSync(join(at, "tidegate.toml"), "version = = 1\n"),
    /^tidegate\.toml:1:\d+: Invalid TOML/,
  ],
  [
    "tidegate.toml is a folder",
    (at) => {
      rmSync(join(at, "tidegate.toml"));
      mkdirSync(join(at, "tidegate.toml"));
    },
    /\/tidegate\.toml is a folder, and a file is needed there/,
  ],
  [
    "an unknown key",
    (at) => writeFileSync(join(at, "tidegate.toml"), 'version = 1\nclustre = "x"\n'),
    /^tidegate\.toml: clustre: there is no such key/,
  ],
  [
    "a project of a newer format",
    (at) => writeFileSync(join(at, "tidegate.toml"), "version = 2\n"),
    /^tidegate\.toml: version must be 1, .*Install a newer Tidegate: npm install tidegate@latest\.$/,
  ],
  [
    "a project without a format",
    (at) => writeFileSync(join(at, "tidegate.toml"), "[env.production]\n"),
    /^tidegate\.toml: version must be 1, .*Write version = 1/,
  ],
];

test.each(broken)("%s: each command says it", async (_, change, words) => {
  await Promise.all(
    Object.values(reading).map((command) => expectRefusal(command, { cwd: project(change) }, words)),
  );
});

describe("a file that an option names", () => {
  test.each([
    [["check", "--database", "--ca", "missing.pem", ...production], /missing\.pem/],
    [["accounts", "--ca", "missing.pem", ...production], /missing\.pem/],
    [
      ["deploy", "--secrets-file", "missing.json", ...production],
      /^There is no .*missing\.json\. Check the path\.$/,
    ],
    [
      ["deploy", "--secrets-file", "queries", ...production],
      /queries is a folder, and a file is needed there/,
    ],
    [
      ["deploy", "--secrets-file", "README.md", ...production],
      /README\.md is neither JSON nor lines of NAME=value/,
    ],
    [["deploy", "--smoke-token-file", "missing.txt", ...production], /^There is no .*missing\.txt/],
    [["import", "missing", ...production], /^missing is no Data App: it has no http_endpoints/],
  ])("%j", async (words, names) => {
    const cwd = project((at) => writeFileSync(join(at, "README.md"), "# Hello\n"));
    await expectRefusal(words, { cwd }, names);
  });

  test("a query for the smoke test that does not exist, and one without a token", async () => {
    const cwd = project();
    const asked = ["deploy", "--smoke-query", "nosuch", ...production];
    await expectRefusal(asked, { cwd }, /^--smoke-query needs a token: set TIDEGATE_SMOKE_TOKEN/);
    writeFileSync(join(cwd, "token"), "abc");
    const named = [...asked, "--smoke-token-file", "token"];
    await expectRefusal(
      named,
      { cwd },
      /^--smoke-query: there is no saved query nosuch; there are: add-note/,
    );
  });

  test("a role of the development issuer, for another environment", async () => {
    const words = ["token", "--role", "reader", ...production];
    await expectRefusal(
      words,
      { cwd: project() },
      /^--role is for the development issuer; .* --claim NAME=VALUE/,
    );
  });

  test("an option of wrangler that decides what is deployed", async () => {
    const cwd = project();
    await expectRefusal(
      ["deploy", "--name=other", ...production],
      { cwd },
      /^--name is not for tidegate deploy/,
    );
  });
});

describe("a host that does not answer", () => {
  const cluster = (at: string) => {
    const text = `version = 1
[env.production.cluster]
engine = "mysql"
hosts = ["127.0.0.1:${closed}"]
database = "world"
link = "platform"
trust = "public"
[env.production.accounts.analyst]
user = "analyst"
password = "ANALYST_PASSWORD"
[[env.production.issuers]]
issuer = "https://issuer.example"
audience = "a"
jwks_uri = "https://issuer.example/jwks.json"
algorithms = ["ES256"]
[[env.production.grants]]
issuer = "https://issuer.example"
account = "analyst"
allow = ["sql:read"]
`;
    writeFileSync(join(at, "tidegate.toml"), text);
  };

  test.each([
    [["accounts", ...production]],
    [["scaffold", "--table", "notes", ...production]],
    [["check", "--database", ...production]],
  ])("the database: %j", async (words) => {
    await expectRefusal(words, { cwd: project(cluster) }, new RegExp(`127\\.0\\.0\\.1:${closed}`));
  });

  test("the gateway", async () => {
    const url = `http://127.0.0.1:${closed}`;
    const words = new RegExp(`^${url} gives no answer: No program listens on 127\\.0\\.0\\.1:${closed}`);
    await expectRefusal(["drain", "--url", url, ...production], { cwd: project() }, words);
  });
});

/** Each writes a file below the folder that is named. */
const writing: [string, string[], string][] = [
  ["build", ["build", ...production], ".tidegate"],
  ["deploy", ["deploy", "--dry-run", ...production], ".tidegate"],
  ["generate", ["generate"], "generated"],
];

describe.each(writing)("%s cannot write", (_, words, target) => {
  test("a file stands in place of the folder", async () => {
    const cwd = project((at) => {
      rmSync(join(at, target), { recursive: true, force: true });
      writeFileSync(join(at, target), "");
    });
    await expectRefusal(
      words,
      { cwd },
      new RegExp(`^A part of .*/${target}\\b.* is a file, and a folder is needed`),
    );
  });

  test("the disk is full", async () => {
    const cwd = project((at) => rmSync(join(at, "generated"), { recursive: true }));
    await expectRefusal(words, { cwd, full: true }, new RegExp(`^There is no room to write .*/${target}/`));
  });

  // Root may write everywhere, so the command runs as another user, who must be able to read the checkout.
  test.skipIf(process.getuid?.() === 0 && !isPublic(packageRoot))("no rights on the folder", async () => {
    const cwd = project((at) => {
      chmodSync(folder, 0o755);
      rmSync(join(at, "generated"), { recursive: true });
      chmodSync(at, 0o555);
    });
    const other = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    await expectRefusal(
      words,
      { cwd, ...other },
      new RegExp(`^This user has no rights on .*/${target}\\b.*EACCES`),
    );
  });
});

test("a folder in place of a file that is written or read", async () => {
  const generated = project((at) => {
    rmSync(join(at, "generated"), { recursive: true });
    mkdirSync(join(at, "generated", "openapi.json"), { recursive: true });
  });
  await expectRefusal(
    ["generate"],
    { cwd: generated },
    /openapi\.json is a folder, and a file is needed there/,
  );
  const lock = project((at) => {
    rmSync(join(at, "queries.lock"));
    mkdirSync(join(at, "queries.lock"));
  });
  await expectRefusal(
    ["build", ...production],
    { cwd: lock },
    /queries\.lock is a folder, and a file is needed there/,
  );
});

test("a file of the project that was cut or merged wrongly", async () => {
  const lock = project((at) => writeFileSync(join(at, "queries.lock"), "<<<<<<< ours\n"));
  await expectRefusal(
    ["deploy", "--dry-run", ...production],
    { cwd: lock },
    /^queries\.lock cannot be read: remove it/,
  );
  const json = project((at) => writeFileSync(join(at, "package.json"), "{ name"));
  await expectRefusal(["build", ...production], { cwd: json }, /\/package\.json is not JSON: correct it/);
});

function isPublic(path: string): boolean {
  if (!existsSync(path) || (statSync(path).mode & 0o005) !== 0o005) return false;
  return path === dirname(path) || isPublic(dirname(path));
}
