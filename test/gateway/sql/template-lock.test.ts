import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { compareWithLock } from "../../../cli/check/locked.ts";
import { hashOf, readLock } from "../../../cli/project/lock.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import { check, giveSecrets } from "./database-check.ts";

/** A new project has the lock of its query: the first `check --database` must agree with it on every engine. */

// The hook's result takes the secrets away again.
beforeAll(giveSecrets);

test("the lock of a new project is what the server says", async () => {
  const template = join(packageRoot, "template");
  const text = readFileSync(join(template, "queries", "hello.sql"), "utf8");
  const lock = readLock(template);
  expect(lock?.queries.hello?.sha256).toBe(hashOf({ text }));
  const { mistakes, untried, told } = await check({ hello: text }, { analyst: ["query:*"] });
  expect({ mistakes, untried }).toEqual({ mistakes: [], untried: [] });
  if (told === undefined) throw new Error("no account logged in");
  const files = [{ name: "hello.sql", text }];
  expect(compareWithLock(files, told, { lock, relock: false }).differences).toEqual([]);
});
