import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseYaml } from "@redocly/openapi-core";
import { expect, test } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";

/** The workflow is run by GitHub alone; what it calls is compared with the commands that there are. */

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
}

interface Job {
  environment?: string;
  concurrency?: { group: string; "cancel-in-progress": boolean };
  needs?: string;
  steps: Step[];
}

const text = readFileSync(join(packageRoot, "examples", "github-actions", "deploy.yml"), "utf8");
const { jobs } = parseYaml(text) as { jobs: Record<string, Job> };
const steps = Object.values(jobs).flatMap((job) => job.steps);
const calls = steps.flatMap(({ run = "" }) => /^npx tidegate (.*)$/.exec(run)?.[1] ?? []);

test("it is YAML, whose deployment waits for the checks, for reviewers and for another deployment", () => {
  expect(jobs.deploy?.needs).toBe("check");
  expect(jobs.deploy?.environment).toBe("production");
  expect(jobs.deploy?.concurrency).toEqual({ group: "deploy-production", "cancel-in-progress": false });
});

test("it calls check, generate --check and deploy, and each command has the options that it is given", async () => {
  expect(calls.map((call) => call.split(" ")[0])).toEqual(["check", "generate", "deploy", "deploy"]);
  for (const call of calls) {
    const [name = "", ...words] = call.split(" ");
    const path = join(packageRoot, "cli", `${name}.ts`);
    expect(existsSync(path), name).toBe(true);
    const { declaration } = await import(pathToFileURL(path).href);
    const known = (declaration.options as { long: string }[]).map(({ long }) => long);
    const used = words.filter((word) => word.startsWith("--"));
    expect(used.filter((word) => !known.includes(word))).toEqual([]);
  }
});

test("each action is pinned to a version, and no secret stands in a command", () => {
  for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/@v\d+$/);
  for (const { run = "" } of steps) expect(run).not.toContain("${{");
  const named = [...text.matchAll(/secrets\.([A-Z_]+)/g)].map(([, name = ""]) => name);
  const [head = ""] = text.split("\nname:");
  for (const name of named) expect(head).toContain(name);
});
