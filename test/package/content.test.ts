import { readdirSync, readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { packageProgram, packageRoot } from "../../cli/project/paths.ts";
import { type } from "./run.ts";

/** The tarball's content. */

const { unpacked, tarball } = inject("packed");
let files: string[] = [];
beforeAll(() => {
  files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(unpacked, join(entry.parentPath, entry.name)));
});

const manifest = () => JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8"));

/** Every file that is packed is under one of these. */
const allowed = [
  /^(CHANGELOG\.md|LICENSE|README\.md|llms\.txt|package\.json|wrangler\.toml)$/,
  /^bin\/[a-z-]+\.js$/,
  /^dist\/client\/((kysely|drizzle)\/)?[a-z-]+\.(js|d\.ts)$/,
  /^dist\/(cli|servers|src)\/(?!dev\/).*\.js$/,
  /^dist\/(src\/db\/links\/tls\.wasm|servers\/database\/tidb\/go\.(mod|sum))$/,
  /^docs\/.*\.md$/,
  /^examples\/browser\/[a-z-]+\.(html|css|js)$/,
  /^examples\/serve\/(Caddyfile|Dockerfile|\.dockerignore|nginx\.conf|tidegate\.service)$/,
  /^template\//,
  /^types\/[a-z]+\.d\.ts$/,
  /^viewer\/[a-z]+\.(css|js)$/,
];

test("has no file that nobody meant to ship", () => {
  expect(files.filter((file) => !allowed.some((form) => form.test(file)))).toEqual([]);
  expect(
    files.filter((file) =>
      /\.test\.|\.tidegate|\.env|\.dev\.vars|\.(pem|jwk|log)$|secrets\.json/i.test(file),
    ),
  ).toEqual(["template/test/hello.test.mjs"]);
});

test("has every part that a command reads", () => {
  const needed = [
    ...[
      "bin/tidegate.js",
      "dist/cli/tidegate.js",
      "dist/src/index.js",
      "dist/client/index.js",
      "dist/client/kysely/index.js",
      "dist/client/drizzle/index.js",
      "dist/src/db/links/tls.wasm",
    ],
    ...["dist/servers/database/tidb/go.mod", "types/worker.d.ts", "wrangler.toml", "LICENSE", "README.md"],
    ...["viewer/page.js", "examples/browser/index.html", "template/tidegate.toml", "template/gitignore"],
    ...["examples/serve/Dockerfile", "examples/serve/tidegate.service"],
  ];
  expect(needed.filter((file) => !files.includes(file))).toEqual([]);
});

test("the types of tidegate/worker are those of its exports", () => {
  const declared = readFileSync(join(unpacked, "types/worker.d.ts"), "utf8");
  const module = readFileSync(join(unpacked, "dist/src/index.js"), "utf8");
  const names = (text: string, form: RegExp) => [...text.matchAll(form)].map(([, name]) => name).sort();
  const exported = names(module, /^export \{ (\w+) \} from /gm);
  expect(exported).toContain("Pool");
  expect(names(declared, /^export declare const (\w+):/gm)).toEqual(exported);
  expect([declared, module].map((text) => /^export default /m.test(text))).toEqual([true, true]);
});

test("names no folder of the machine that packed it", () => {
  const places = [packageRoot, homedir()].filter((place) => place.length > 5);
  const naming = files.filter((file) => {
    const content = readFileSync(join(unpacked, file), "latin1");
    return places.some((place) => content.includes(place));
  });
  expect(naming).toEqual([]);
});

test("is small: a MiB and a half to load, five on the disk", () => {
  const unpackedBytes = files.reduce((sum, file) => sum + statSync(join(unpacked, file)).size, 0);
  expect(statSync(tarball).size).toBeLessThan(1.5 * 2 ** 20);
  expect(unpackedBytes).toBeLessThan(5 * 2 ** 20);
});

describe("dependencies", () => {
  /** What no module imports, and who needs it. */
  const unimported: Record<string, string> = {
    commander: "@commander-js/extra-typings has only its types",
    oauth4webapi: "cli/project/viewer.ts copies its files",
    "swagger-ui-dist": "cli/project/viewer.ts copies its files",
    workerd: "cli/serve/workerd.ts runs its program",
    wrangler: "cli/project/paths.ts finds its program",
  };

  /** @returns the packages that the JavaScript of dist/ and bin/ imports */
  function imported(): Set<string> {
    const names = files
      .filter((file) => /^(dist|bin)\/.*\.js$/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(unpacked, file), "utf8");
        const statements = /^(?:import|export) (?:[^;"']*\bfrom )?["']([^"'.#][^"'\n]*)["'];?$/gm;
        const calls = /\b(?:import|require)\(["']([^"'.#][^"'\n]*)["']\)/g;
        return [...text.matchAll(statements), ...text.matchAll(calls)].map(([, name = ""]) => name);
      });
    const runtimes = (name: string) => /^(node|cloudflare):/.test(name) || builtinModules.includes(name);
    return new Set(
      names
        .filter((name) => !runtimes(name))
        .map((name) =>
          name
            .split("/")
            .slice(0, name.startsWith("@") ? 2 : 1)
            .join("/"),
        ),
    );
  }

  test("are all that the modules import, and no others", () => {
    const { dependencies, peerDependencies } = manifest();
    const peers = Object.keys(peerDependencies);
    const wanted = new Set(
      [...imported(), ...Object.keys(unimported)].filter((name) => !peers.includes(name)),
    );
    expect(Object.keys(dependencies).sort()).toEqual([...wanted].sort());
    expect(wanted.size).toBeGreaterThan(10);
  });

  test("of the adapters are the user's, and optional", () => {
    const { peerDependencies, peerDependenciesMeta, devDependencies } = manifest();
    expect(Object.keys(peerDependencies)).toEqual(["drizzle-orm", "kysely"]);
    expect([...imported()]).toEqual(expect.arrayContaining(Object.keys(peerDependencies)));
    for (const [name, range] of Object.entries(peerDependencies)) {
      expect(peerDependenciesMeta[name]).toEqual({ optional: true });
      // The tested version is of the range: below 1.0 a caret keeps the second number.
      const [major, minor] = devDependencies[name].split(".");
      expect(range).toBe(`^${major}.${minor}.0`);
    }
  });

  test("are at exact versions", () => {
    const { dependencies, optionalDependencies } = manifest();
    const versions = Object.entries({ ...dependencies, ...optionalDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
  });
});

test("publint finds nothing", async () => {
  const ended = await type(process.execPath, [packageProgram("publint"), tarball, "--strict"], unpacked);
  expect([ended.status, ended.stdout]).toEqual([0, expect.stringContaining("All good!")]);
});

// The package is ESM only: no other resolution of TypeScript needs to find it.
test("arethetypeswrong finds nothing", async () => {
  const program = packageProgram("@arethetypeswrong/cli", "attw");
  const ended = await type(
    process.execPath,
    [program, tarball, "--profile", "esm-only", "--no-emoji"],
    unpacked,
  );
  expect(ended.status, ended.stdout).toBe(0);
});
