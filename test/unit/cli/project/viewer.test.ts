import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { viewerVersion, writeViewer } from "../../../../cli/project/viewer.ts";

const directory = mkdtempSync(join(tmpdir(), "tidegate-viewer-"));
const assets = join(directory, "assets");
const folder = join(assets, "docs");
const version = viewerVersion();
afterAll(() => rmSync(directory, { recursive: true }));

test("the files are written once, and those of another version go", () => {
  writeViewer(version, assets);
  expect(version).toMatch(/^[0-9a-f]{16}$/);
  const file = join(folder, version, "page.js");
  const { mtimeMs } = statSync(file);
  const old = join(folder, "0000000000000000");
  mkdirSync(old, { recursive: true });
  writeViewer(version, assets);
  expect(statSync(file).mtimeMs).toBe(mtimeMs);
  expect(readdirSync(folder)).toEqual([version]);
  expect(readdirSync(directory)).toEqual(["assets"]);
});

test("a folder that is gone comes back under the same name", () => {
  writeViewer(version, assets);
  rmSync(join(folder, version), { recursive: true });
  writeViewer(version, assets);
  expect(readdirSync(folder)).toEqual([version]);
});

test("every module that a file imports is there, and every licence", () => {
  writeViewer(version, assets);
  const names = readdirSync(join(folder, version));
  const scripts = names.filter((name) => name.endsWith(".js") && name !== "swagger-ui-bundle.js");
  const imported = scripts.flatMap((name) =>
    [...readFileSync(join(folder, version, name), "utf8").matchAll(/^import .* from "\.\/(.+)";$/gm)].map(
      ([, module]) => module,
    ),
  );
  expect(imported.sort()).toEqual(["login.js", "oauth4webapi.js"]);
  expect(names).toEqual(expect.arrayContaining(imported));
  expect(names.filter((name) => name.endsWith(".license.txt"))).toHaveLength(3);
});
