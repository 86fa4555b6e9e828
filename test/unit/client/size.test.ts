import { join } from "node:path";
import { gzipSync } from "node:zlib";
// Vite and wrangler bring it.
import { build } from "esbuild";
import { expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";

test("the client is 5 kB, minified and compressed, and imports nothing", async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(packageRoot, "client/index.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
  });
  const imports = Object.values(metafile.inputs).flatMap((input) =>
    input.imports.filter((one) => one.external),
  );
  expect(imports).toEqual([]);
  const bytes = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
  expect(bytes).toBeGreaterThan(3000);
  expect(bytes).toBeLessThanOrEqual(5000);
});
