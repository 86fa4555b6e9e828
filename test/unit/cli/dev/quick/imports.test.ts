import { describe, expect, test } from "vitest";
import { importersOf, namedFiles, readImports } from "../../../../../cli/dev/quick/imports.ts";

const files = [
  "docs/guides/links.md",
  "package-lock.json",
  "src/limits.ts",
  "src/sql/lexer.ts",
  "test/gateway/links/tls-cases.ts",
  "test/gateway/links/tls.test.ts",
  "test/gateway/support/ask.ts",
  "test/gateway/support/entries/clock.ts",
  "test/gateway/support/harness.ts",
  "test/unit/sql/lexer.test.ts",
];
const of = (text: string) => namedFiles("test/gateway/links/tls.test.ts", text, files);

describe("what a file names", () => {
  test.each([
    ['import { ask } from "../support/ask.ts";', ["test/gateway/support/ask.ts"]],
    ['import {\n  type Case,\n  cases,\n} from "./tls-cases.ts";', ["test/gateway/links/tls-cases.ts"]],
    ['export * from "./tls-cases.ts";', ["test/gateway/links/tls-cases.ts"]],
    ['harness = await import("../support/harness.ts");', ["test/gateway/support/harness.ts"]],
    ['new URL("../../../src/limits.ts", import.meta.url)', ["src/limits.ts"]],
    ['readFileSync(join(root, "docs", "guides", "links.md"), "utf8")', ["docs/guides/links.md"]],
    ['startGateway({ entry: "clock" })', ["test/gateway/support/entries/clock.ts"]],
  ])("%s", (text, named) => {
    expect(of(text)).toEqual(named);
  });

  test.each([
    'import type { Ask } from "../support/ask.ts";',
    'export type { Ask } from "../support/ask.ts";',
    'import type {\n  Ask,\n  Answer,\n} from "../support/ask.ts";',
    'import { expect } from "vitest";',
    'import { gone } from "./gone.ts";',
    'const link = "links";',
  ])("not %s", (text) => {
    expect(of(text)).toEqual([]);
  });

  test("a type's declaration takes nothing with it", () => {
    expect(of('export type Step = number;\nreadFileSync("links.md")')).toEqual(["docs/guides/links.md"]);
  });

  test("a type's import takes no other import with it", () => {
    const text = 'import type { Ask } from "../support/ask.ts";\nimport { cases } from "./tls-cases.ts";';
    expect(of(text)).toEqual(["test/gateway/links/tls-cases.ts"]);
  });
});

describe("who needs a file", () => {
  const texts: Record<string, string> = {
    "test/gateway/links/tls.test.ts": 'import { cases } from "./tls-cases.ts";',
    "test/gateway/links/tls-cases.ts": 'import { ask } from "../support/ask.ts";',
    "test/gateway/support/ask.ts": 'import { startGateway } from "./harness.ts";',
    "test/gateway/support/harness.ts": 'import { ask } from "./ask.ts";',
    "test/unit/sql/lexer.test.ts": 'import { lex } from "../../../src/sql/lexer.ts";',
    "src/sql/lexer.ts": 'import { limits } from "../limits.ts";',
  };
  const imports = readImports(files, (file) => texts[file] ?? "");

  test("through other files, in a circle too", () => {
    expect(Object.fromEntries(importersOf("test/gateway/support/ask.ts", imports))).toEqual({
      "test/gateway/support/ask.ts": 0,
      "test/gateway/support/harness.ts": 1,
      "test/gateway/links/tls-cases.ts": 1,
      "test/gateway/links/tls.test.ts": 2,
    });
  });

  test("every gateway test needs what vitest starts with", () => {
    expect(importersOf("package-lock.json", imports).get("test/gateway/links/tls.test.ts")).toBe(1);
  });

  test("src and the unit tests are not read", () => {
    expect([...importersOf("src/limits.ts", imports).keys()]).toEqual(["src/limits.ts"]);
    expect([...importersOf("src/sql/lexer.ts", imports).keys()]).toEqual(["src/sql/lexer.ts"]);
  });
});
