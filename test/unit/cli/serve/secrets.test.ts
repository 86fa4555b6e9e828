import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findSecrets } from "../../../../cli/serve/secrets.ts";

let directory: string;
const path = (name: string) => join(directory, name);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "secrets-"));
  mkdirSync(path("credentials"));
  writeFileSync(path("file"), "of the file\n");
  writeFileSync(path("lines"), "-----BEGIN\nof two lines\n\n");
  writeFileSync(path("empty"), "\n");
  writeFileSync(path("utf16"), "\ufeffsecret\r\n", "utf16le");
  writeFileSync(path("credentials/A_SECRET"), "of systemd");
  writeFileSync(path(".dev.vars.production"), `A_SECRET="of .dev.vars"\nB_SECRET=b'"#\n`);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const find = (environment: Record<string, string>, names = ["A_SECRET"]) =>
  findSecrets(names, environment, path(".dev.vars.production"));

test("the first of variable, file, systemd's credential and .dev.vars counts", () => {
  const all = {
    A_SECRET: "of the variable ",
    A_SECRET_FILE: path("file"),
    CREDENTIALS_DIRECTORY: path("credentials"),
  };
  expect(find(all)).toEqual({ A_SECRET: "of the variable " });
  const { A_SECRET: _, ...files } = all;
  expect(find(files)).toEqual({ A_SECRET: "of the file" });
  const { A_SECRET_FILE: __, ...credentials } = files;
  expect(find(credentials)).toEqual({ A_SECRET: "of systemd" });
  expect(find({})).toEqual({ A_SECRET: "of .dev.vars" });
  expect(find({ CREDENTIALS_DIRECTORY: path("none") })).toEqual({ A_SECRET: "of .dev.vars" });
});

test(".dev.vars is read only for a secret that is nowhere else, and its fault is one line", () => {
  const folder = path("credentials");
  expect(findSecrets(["A_SECRET"], { A_SECRET: "of the variable" }, folder)).toEqual({
    A_SECRET: "of the variable",
  });
  expect(() => findSecrets(["A_SECRET", "B_SECRET"], {}, folder)).toThrow(
    /^Cannot read .*credentials \(It has the secrets\): it is a folder\.$/,
  );
});

test("a folder of credentials that cannot be opened is named, and no other place is taken", () => {
  expect(() => find({ CREDENTIALS_DIRECTORY: path("file") })).toThrow(
    `Cannot read ${path("file/A_SECRET")} (CREDENTIALS_DIRECTORY has it): a folder of this path is a file.`,
  );
});

test("a secret with a NUL byte is refused by its name alone", () => {
  expect(() => find({ A_SECRET_FILE: path("utf16") })).toThrow(
    /^The secret A_SECRET has a NUL byte: save the file as UTF-8\.$/,
  );
});

test("a file may have several lines; its last line break is not part of the secret", () => {
  expect(find({ A_SECRET_FILE: path("lines") })).toEqual({ A_SECRET: "-----BEGIN\nof two lines\n" });
});

test("every mistake is one line, with the ways to mend it", () => {
  const told = () =>
    find({ A_SECRET_FILE: path("nowhere"), D_SECRET: "" }, ["A_SECRET", "C_SECRET", "D_SECRET"]);
  expect(told).toThrow(
    [
      `Cannot read ${path("nowhere")} (A_SECRET_FILE names it): there is no such file.`,
      `The secret C_SECRET is missing: set the variable C_SECRET, or C_SECRET_FILE=/path/of/a/file, or write C_SECRET=... into ${path(".dev.vars.production")}.`,
      "The secret D_SECRET is empty.",
    ].join("\n"),
  );
  expect(() => find({ A_SECRET_FILE: directory })).toThrow("it is a folder");
  expect(() => find({ A_SECRET_FILE: path("empty") })).toThrow("The secret A_SECRET is empty.");
});
