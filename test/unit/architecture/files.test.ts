import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";

/** What no linter here can say of a file in src. Directions of imports: .dependency-cruiser.mjs. */
const source = join(import.meta.dirname, "..", "..", "..", "src");
const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => relative(source, join(entry.parentPath, entry.name)).split(sep).join("/"))
  .sort();
const read = (file: string) => readFileSync(join(source, file), "utf8");

describe("bounds", () => {
  /** What a protocol or a standard fixes has a name beside its use; what the gateway decides stands in limits.ts. */
  const bounds =
    /retryAfter: \d|\.(?:min|max)\([\d_]{3,}\)|^(?:export )?const (?!dayMs)\w+(?:Ms|Seconds|Shown) = [\d_]/m;
  test.each(files.filter((file) => file !== "limits.ts"))("%s has none of its own", (file) => {
    expect(bounds.exec(read(file))?.[0]).toBeUndefined();
  });
});

describe("files", () => {
  // The list of bounds is looked up by a name, and not read from top to bottom.
  test.each(files.filter((file) => file !== "limits.ts"))("%s has no more than 270 lines", (file) => {
    expect(read(file).split("\n").length - 1).toBeLessThanOrEqual(270);
  });
});
