import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hashOf, writeLock } from "../../../cli/project/lock.ts";
import { packageRoot } from "../../../cli/project/paths.ts";

// Each of these starts Node, which takes long on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

/** The real command, in a project of its own. */
let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(packageRoot, ".tidegate", "test", "generate-"));
  await mkdir(join(project, "queries"));
  const sample = await readFile(join(packageRoot, "sample", "tidegate.toml"), "utf8");
  // The sample's grants name queries that this project does not have.
  const policy = sample.replaceAll(/"query:(?:#geography|my-notes)"/g, '"query:*"');
  await writeFile(join(project, "tidegate.toml"), policy);
  await writeQuery("SELECT id FROM cities WHERE id = :id");
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function writeQuery(statement: string, { lock = true, name = "city" } = {}): Promise<void> {
  const text = `-- One city.\n-- @param id integer required\n${statement}\n`;
  await writeFile(join(project, "queries", `${name}.sql`), text);
  const columns = [{ name: "id", type: "INT", nullable: false }];
  const queries = { [name]: { sha256: hashOf({ text }), columns } };
  if (lock) writeLock({ server: { engine: "mysql", version: "9.7" }, queries }, project);
}

async function generate(...words: string[]) {
  const program = join(packageRoot, "cli", "tidegate.ts");
  return await new Promise<{ status: number; output: string }>((resolve) => {
    execFile(process.execPath, [program, "generate", ...words], { cwd: project }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, output: stdout + stderr }),
    ).stdin?.end();
  });
}

const document = async () => JSON.parse(await readFile(join(project, "generated", "openapi.json"), "utf8"));

describe("tidegate generate", () => {
  test("writes both files, and says nothing new when they are current", async () => {
    expect(await generate()).toEqual({
      status: 0,
      output: "generated/openapi.json: written\ngenerated/queries.ts: written\n",
    });
    const types = await readFile(join(project, "generated", "queries.ts"), "utf8");
    expect(types).toContain("/** One city. */\n  city: {");
    expect(Object.keys((await document()).paths)).toEqual(["/v1/queries", "/v1/queries/city"]);
    expect(await generate()).toEqual({ status: 0, output: "generated: current\n" });
  });

  test("without --env names no issuer; with it, those of the environment", async () => {
    await generate();
    expect((await document()).components.securitySchemes).toEqual({ token: expect.anything() });
    expect(await generate("--env", "production")).toMatchObject({ status: 0 });
    expect((await document()).components.securitySchemes).toEqual({
      issuer1: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description: "A JWT of the issuer https://id.example.com/, for the audience tidegate.",
      },
    });
    expect(await generate("--check")).toMatchObject({
      status: 1,
      output: "generated/openapi.json is stale: npm run generate writes it anew\n",
    });
  });

  test("--check writes nothing, and exits with 1 where a file is missing or stale", async () => {
    expect(await generate("--check")).toEqual({
      status: 1,
      output: ["openapi.json", "queries.ts"]
        .map((name) => `generated/${name} is missing: npm run generate writes it\n`)
        .join(""),
    });
    expect(existsSync(join(project, "generated"))).toBe(false);
    await generate();
    expect(await generate("--check")).toEqual({ status: 0, output: "generated: current\n" });
    // Git may change line ends.
    const types = join(project, "generated", "queries.ts");
    await writeFile(types, (await readFile(types, "utf8")).replaceAll("\n", "\r\n"));
    expect((await generate("--check")).status).toBe(0);
  });

  test("refuses a query that the lock does not have as it is, and names the command that mends it", async () => {
    await writeQuery("SELECT id, name FROM cities WHERE id = :id", { lock: false });
    const changed = await generate("--check");
    expect(changed.status).toBe(2);
    expect(changed.output).toContain("queries/city.sql has changed");
    expect(changed.output).toContain("npm run check -- --env NAME --database");
    await rm(join(project, "queries.lock"));
    expect((await generate()).output).toContain("queries.lock is missing");
    expect(existsSync(join(project, "generated"))).toBe(false);
  });

  test("says what is wrong with the environment that --env names", async () => {
    const policy = 'version = 1\n[env.production.cluster]\nengine = "oracle"\n';
    await writeFile(join(project, "tidegate.toml"), policy);
    const { status, output } = await generate("--env", "production");
    expect(status).toBe(2);
    expect(output).toContain("tidegate.toml, [env.production]: ");
    expect(output).toContain("cluster.engine");
  });

  test("says where a query has a mistake", async () => {
    await writeQuery("SELECT id FROM cities WHERE id = :city");
    const { status, output } = await generate();
    expect(status).toBe(2);
    expect(output).toContain("city.sql");
    expect(output).not.toMatch(/^ {4}at /m);
  });
});
