import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";

// Each of these starts Node several times, which takes long on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

/** The real program, typed as an operator types it: rightly, and with every kind of slip. */

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

const dispatcher = join(packageRoot, "cli", "tidegate.ts");
const developersDispatcher = join(packageRoot, "cli", "dev", "tidegate.ts");

/** @param script the name of the npm script that runs it, if one does */
interface Typed {
  program?: string;
  cwd?: string;
  script?: string;
  /** An environment variable. */
  TIDEGATE_DIRECTORY?: string;
}

async function type(
  words: string[],
  { program = dispatcher, cwd = packageRoot, script = "", ...more }: Typed = {},
) {
  const env = { ...process.env, npm_lifecycle_event: script, ...more };
  return await new Promise<Ended>((resolve) => {
    execFile(process.execPath, [program, ...words], { cwd, env }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    ).stdin?.end();
  });
}

/** Two lines at most, on standard error: the mistake, and where the remedy stands. */
function expectRefusal({ status, stdout, stderr }: Ended, words: string[], option: string): void {
  const lines = stderr.trimEnd().split("\n");
  expect(stderr, words.join(" ")).not.toMatch(/^ {4}at /m);
  expect({ status, stdout, words }).toEqual({ status: 2, stdout: "", words });
  expect(lines.length, stderr).toBeLessThanOrEqual(2);
  expect(lines[0]).toContain(option);
}

const unknown = ["--nosuch"];
const unknownBeside = ["--nosuch", "--env", "production"];
const environment = [["--env"], ["--env", "nosuch"]];

/** Of each command, slips that it refuses; each begins with the option that must be named. */
const slips: Record<string, string[][]> = {
  start: [unknown, ["--port"], ["--port", "0"], ["--page-port", "many"], ["--engine", "oracle"]],
  token: [
    unknown,
    ["--role"],
    ["--role", "--sub"],
    ["--expires", "soon"],
    ["--claim", "role"],
    ...environment,
  ],
  connect: [
    ...[unknown, ["--ca"], ["--env", "Production"], ["--account", "A b"]],
    ...[["--jwks"], ["--claim", "role"], ["--allow", "everything"]],
    ...[
      ["--timeout-ms", "1"],
      ["--timeout-ms", "1e3"],
    ],
  ],
  check: [
    ...[unknown, ["--ca"], ["--database"], ["--scan-rows"], ["--scan-rows", "many"], ...environment],
    ...[["--relock"], ["--scan-rows", "5"], ["--ca", "ca.pem"]],
  ],
  generate: [unknown, ...environment],
  accounts: [unknown, ["--administrator"], ...environment],
  scaffold: [
    [...unknown, "--table", "notes"],
    ["--table"],
    ["--owner", "sub", "--table", "notes"],
    ["--owner", "author=sub", "--table", "notes"],
    ["--table", "--account"],
    ...environment.map((words) => [...words, "--table", "notes"]),
  ],
  import: [
    [...unknown, "folder"],
    ["--cluster"],
    ["--cluster", "one", "folder"],
    ...environment.map((words) => [...words, "folder"]),
  ],
  explain: [
    [...unknown, "--token", "x"],
    ["--token"],
    ["--token", "x"],
    ["--action", "sql:drop", "--token", "x"],
    ["--claims"],
    ["--claims", "{"],
    ["--claims", '{"a":1,"a":2}'],
    ["--claims", "{}", "--token", "x"],
    ...environment,
  ],
  build: [unknownBeside, ...environment],
  serve: [
    ...environment,
    unknownBeside,
    ["--listen", "8787", "--env", "production"],
    ["--listen", "localhost:1", "--env", "production"],
    ["--trust-proxy", "proxy.example", "--env", "production"],
    ["--state"],
    ["--compile"],
  ],
  deploy: [...environment, ["--url", "http://gateway.example", "--env", "production"]],
  drain: [
    unknownBeside,
    ["--account"],
    ["--url", "ftp://gateway.example", "--env", "production"],
    ...environment,
  ],
  init: [[...unknown, "folder"]],
};

/** The same for the development of Tidegate itself. */
const developersSlips: Record<string, string[][]> = {
  golden: [unknown],
  "test:quick": [unknown, ["--since"]],
};

describe.each([
  ...Object.entries(slips).map(([command, inputs]) => [command, inputs, dispatcher] as const),
  ...Object.entries(developersSlips).map(
    ([command, inputs]) => [command, inputs, developersDispatcher] as const,
  ),
])("tidegate %s", (command, inputs, program) => {
  test("refuses each slip in two lines that name the option", async () => {
    const typed = inputs.map((words) => [command, ...words]);
    const ended = await Promise.all(typed.map((words) => type(words, { program })));
    for (const [i, one] of ended.entries()) expectRefusal(one, typed[i] ?? [], inputs[i]?.[0] ?? "");
  });

  test("--help prints what it is for and every option that the documents name", async () => {
    const { status, stdout, stderr } = await type([command, "--help"], { program, cwd: tmpdir() });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^Usage: tidegate ${command} \\[options\\]`));
    const listed = new Set([...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option));
    expect(documentedOptions(command).filter((option) => !listed.has(option))).toEqual([]);
    const own = inputs.map(([option]) => option).filter((option) => option !== "--nosuch");
    expect(own.filter((option) => !listed.has(option))).toEqual([]);
  });
});

/**
 * @returns the options that README.md and docs/ write after `npm run COMMAND --` or `tidegate COMMAND`. Options inside a
 *   connection string are not among them.
 */
function documentedOptions(command: string): string[] {
  const files = readdirSync(join(packageRoot, "docs"), { recursive: true, encoding: "utf8" });
  const docs = files.filter((name) => name.endsWith(".md"));
  const call = new RegExp(
    `(?:npm (?:run )?(?:--silent )?${command} --|tidegate ${command}) ([^\`\\n|,]*)`,
    "g",
  );
  return ["README.md", ...docs.map((name) => join("docs", name))].flatMap((name) => {
    const text = readFileSync(join(packageRoot, name), "utf8");
    return [...text.matchAll(call)].flatMap(([, words = ""]) =>
      [...words.replace(/'[^']*'/g, "").matchAll(/--[a-z][a-z-]*/g)].map(([option]) => option),
    );
  });
}

function namesIn(text: string, form: RegExp): string[] {
  return [...text.matchAll(form)].map(([, name = ""]) => name).sort();
}

test("the documents are found, and name options", () => {
  const named = Object.keys(slips).map((command) => documentedOptions(command).length);
  expect(named.reduce((sum, count) => sum + count)).toBeGreaterThan(20);
  expect(documentedOptions("connect")).toContain("--token-key");
});

describe("tidegate", () => {
  test("--help lists every command, also outside of a project", async () => {
    const { status, stdout } = await type(["--help"], { cwd: tmpdir() });
    expect([status, namesIn(stdout, /^ {2}([a-z][a-z:-]*) {2}/gm)]).toEqual([0, Object.keys(slips).sort()]);
  });

  test("--version prints the package's", async () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
    expect(await type(["--version"], { cwd: tmpdir() })).toEqual({
      status: 0,
      stdout: `${version}\n`,
      stderr: "",
    });
  });

  test("--help of the developers' commands lists them", async () => {
    const { status, stdout } = await type(["--help"], { program: developersDispatcher });
    const names = [...Object.keys(developersSlips), "test"].sort();
    expect([status, namesIn(stdout, /^ {2}([a-z][a-z:-]*) {2}/gm)]).toEqual([0, names]);
  });

  test("refuses an unknown command, and knows what may be meant", async () => {
    const ended = await type(["chekc"]);
    expectRefusal(ended, ["chekc"], "Unknown command 'chekc' (Did you mean check?)");
    expect(ended.stderr).toContain("tidegate --help");
  });

  test("without a command shows what there is: 2", async () => {
    const { status, stderr } = await type([]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^Usage: tidegate COMMAND/)]);
  });

  test("names the remedy as it was typed", async () => {
    const { stderr } = await type(["token", "--rol", "x"], { script: "token" });
    expect(stderr).toBe(
      "Unknown option '--rol' (Did you mean --role?)\nnpm run token -- --help says what there is.\n",
    );
  });

  test("explain says what a grant lacks for a saved query", async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const policy = readFileSync(join(packageRoot, "sample", "tidegate.toml"), "utf8");
    const [, issuer] = /^issuer = "(.*)"$/m.exec(policy) ?? [];
    const token = `${part({ alg: "ES256" })}.${part({ iss: issuer, sub: "me", role: "analyst" })}.AAAA`;
    // What npm start has left in the checkout does not count.
    const TIDEGATE_DIRECTORY = join(tmpdir(), "tidegate-nothing-runs");
    const ended = await type(["explain", "--token", token, "--action", "query:add-note"], {
      TIDEGATE_DIRECTORY,
    });
    expect([ended.status, ended.stderr]).toEqual([1, ""]);
    expect(ended.stdout).toContain(
      'To allow it, add "query:add-note", or "query:#TAG" of a tag of the query, to allow of grants[1] in tidegate.toml, [env.development].',
    );
  });

  test("explain takes claims, and says what a query misses in them", async () => {
    const TIDEGATE_DIRECTORY = join(tmpdir(), "tidegate-nothing-runs");
    const asked = async (claims: object, action: string) => {
      const words = ["explain", "--claims", JSON.stringify(claims), "--action", action];
      const { status, stdout, stderr } = await type(words, { TIDEGATE_DIRECTORY });
      expect(stderr).toBe("");
      return [status, stdout.trimEnd().split("\n").at(-1)];
    };
    expect(await asked({ role: "analyst", sub: "me" }, "query:my-notes")).toEqual([
      0,
      "query:my-notes: as analyst",
    ]);
    expect(await asked({ role: "analyst" }, "query:my-notes")).toEqual([
      1,
      'query:my-notes: denied. The token has no claim "sub" that the query can use.',
    ]);
    expect(await asked({ role: "editor" }, "query:nosuch")).toEqual([
      1,
      "query:nosuch: denied. There is no saved query nosuch.",
    ]);
  });

  test("explain says that the gateway refuses a token, and which grant would decide", async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: "https://id.example.com/", aud: "tidegate", exp: 1, role: "analyst" };
    const token = `${part({ alg: "ES256" })}.${part(claims)}.AAAA`;
    const { status, stdout } = await type(["explain", "--token", token, "--env", "production"]);
    expect([status, stdout.split("\n")[0]]).toEqual([
      1,
      "The gateway refuses this token: The access token has expired.",
    ]);
    expect(stdout).toContain("→ grants[1] analyst");
  });

  test("says where there is no project", async () => {
    const ended = await type(["token"], { cwd: tmpdir() });
    expectRefusal(ended, ["token"], "There is no project here");
  });

  test("takes a folder of the project for the project", async () => {
    const cwd = join(packageRoot, "sample", "queries");
    const { status, stderr } = await type(["check", "--env", "nosuch"], { cwd });
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining("there are: development, staging, production."),
    ]);
  });

  test.each([
    ["an option that does not exist", ["connect", "--pasword=SECRET"]],
    ["a short option", ["connect", "-pSECRET"]],
    ["a string without quotation marks", ["connect", "mysql", "SECRET"]],
    ["a string without a command", ["mysql://root:SECRET@db.example"]],
  ])("never repeats a password: %s", async (_, words) => {
    const { status, stdout, stderr } = await type(words);
    expect([status, stdout + stderr]).toEqual([2, expect.not.stringContaining("SECRET")]);
  });
});

test.each(["bench/select/run.ts", "bench/links/run.ts", "soak/run.ts", "cli/dev/build-tls.ts"])(
  "%s refuses an unknown option alike",
  async (path) => {
    expectRefusal(await type(["--nosuch"], { program: join(packageRoot, path) }), [path], "--nosuch");
  },
);
