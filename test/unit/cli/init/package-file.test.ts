import { expect, test } from "vitest";
import { packageFile, packageName } from "../../../../cli/init/package-file.ts";

test("a package.json that is there keeps what it has, and gets what it lacks", () => {
  const found = {
    name: "mine",
    type: "commonjs",
    scripts: { test: "vitest", deploy: "make" },
    dependencies: { hono: "4.0.0" },
    allowScripts: { esbuild: false },
  };
  expect(packageFile(found, "other", "0.1.0")).toEqual({
    name: "mine",
    type: "commonjs",
    scripts: {
      start: "tidegate start",
      test: "vitest",
      check: "tidegate check",
      generate: "tidegate generate",
      serve: "tidegate serve",
      deploy: "make",
    },
    dependencies: { tidegate: "0.1.0", hono: "4.0.0" },
    allowScripts: { esbuild: false, workerd: true, "@scarf/scarf": false },
  });
});

test("the tidegate that npm install has written stays", () => {
  const { dependencies } = packageFile({ dependencies: { tidegate: "^0.1.0" } }, "mine", "0.1.0");
  expect(dependencies).toEqual({ tidegate: "^0.1.0" });
});

test("the script that npm init writes is no test", () => {
  const found = { scripts: { test: 'echo "Error: no test specified" && exit 1' } };
  expect(packageFile(found, "mine", "0.1.0").scripts?.test).toBe("node --test test/*.test.mjs");
});

test.each([
  ["My Gateway", "my-gateway"],
  ["..", "gateway"],
  ["_é_", "gateway"],
  ["api_v2.", "api-v2"],
])("the folder %j gives the name %s", (folder, name) => {
  expect(packageName(folder)).toBe(name);
});
