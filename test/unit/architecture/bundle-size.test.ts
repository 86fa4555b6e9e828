import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundleGateway } from "../../../bench/lib/bundle.ts";
import { packageRoot } from "../../../cli/project/paths.ts";

/** What `wrangler deploy` uploads, compressed: docs/explanation/performance.md has the figure, and 1 % more or less is allowed. */
const document = readFileSync(join(packageRoot, "docs", "explanation", "performance.md"), "utf8");
const documented = Number(/bundle[^.]*? ([\d,]+) bytes of gzip/.exec(document)?.[1]?.replaceAll(",", ""));
const margin = 0.01;

test("the Worker's script and its WebAssembly have the size that docs/explanation/performance.md says", async () => {
  const { directory, modules } = await bundleGateway(
    join(packageRoot, ".tidegate", "test", "bundle-size"),
    {},
  );
  expect(modules.map((name) => name.replace(/^.*\./, ""))).toEqual(["js", "wasm"]);
  const bytes = gzipSync(Buffer.concat(modules.map((name) => readFileSync(join(directory, name))))).length;
  expect(bytes).toBeGreaterThan(documented * (1 - margin));
  expect(bytes).toBeLessThan(documented * (1 + margin));
}, 120_000);
