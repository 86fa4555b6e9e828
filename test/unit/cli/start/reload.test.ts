import { expect, test } from "vitest";
import { Stop } from "../../../../cli/command/errors.ts";
import { orStop, reloading } from "../../../../cli/start/reload.ts";
import { parseCatalog } from "../../../../src/catalog/parse.ts";
import type { Application } from "../../../../src/config/config.ts";

function application(text: string): Application {
  const queries = parseCatalog([{ name: "one.sql", text }]);
  return { environment: "development", generation: "", policy: {}, viewer: "", queries };
}

/** The file's text, what the gateway was given, and the lines that were printed. */
function scene() {
  const found = { text: "SELECT 1", refuses: false, given: [] as string[], lines: [] as string[] };
  const reload = reloading({
    first: application(found.text),
    make: () => application(found.text),
    give: async ({ queries }) => {
      if (found.refuses) throw new Error("it has not begun anew");
      found.given.push(queries[0]?.sql ?? "");
    },
    log: (line) => found.lines.push(line),
  });
  const save = async (text: string) => {
    found.text = text;
    found.lines = [];
    await reload();
    return found.lines;
  };
  return { found, save };
}

const changed = "queries/one.sql has changed: GET /v1/queries/one";
const mistake = expect.stringMatching(/^queries\/one\.sql:1:.*:a is not declared/);
const goesOn = "The gateway goes on with what it had before.";
const asBefore = "The queries, the policy and the CAs are as before.";

test("gives the gateway what has changed, and only that", async () => {
  const { found, save } = scene();
  expect(await save("SELECT 1")).toEqual([asBefore]);
  expect(found.given).toEqual([]);
  expect(await save("SELECT 2")).toEqual([changed]);
  expect(found.given).toEqual(["SELECT 2"]);
});

test("a broken file is named at each save, and the gateway keeps what it has, until it is repaired", async () => {
  const { found, save } = scene();
  for (const _ of [1, 2]) expect(await save("SELECT :a")).toEqual([mistake, goesOn]);
  expect(found.given).toEqual([]);
  expect(await save("SELECT 1")).toEqual(["The mistakes are gone.", asBefore]);
  expect(found.given).toEqual([]);
  await save("SELECT :a");
  expect(await save("SELECT 2")).toEqual(["The mistakes are gone.", changed]);
  expect(found.given).toEqual(["SELECT 2"]);
});

test("what the gateway did not take is given again at the next save", async () => {
  const { found, save } = scene();
  found.refuses = true;
  expect(await save("SELECT 2")).toEqual(["it has not begun anew", goesOn]);
  found.refuses = false;
  expect(await save("SELECT 2")).toContain(changed);
  expect(found.given).toEqual(["SELECT 2"]);
});

test("a command that begins with a broken file ends with the mistakes alone", () => {
  expect(() => orStop(() => application("SELECT :a"))).toThrow(Stop);
  expect(() => orStop(() => application("SELECT :a"))).toThrow(/^queries\/one\.sql:1:.*:a is not declared/);
  expect(orStop(() => application("SELECT 1")).queries).toHaveLength(1);
});
