import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { namesIn } from "../../../../cli/deploy/secrets.ts";
import { checkSize } from "../../../../cli/deploy/size.ts";
import { addressOf } from "../../../../cli/deploy/target.ts";

describe("the address that the smoke test asks", () => {
  test.each([
    [["https://gw.example.workers.dev"], "https://gw.example.workers.dev/"],
    [["https://gw.example.workers.dev", "sql.example.com (custom domain)"], "https://sql.example.com/"],
    [["sql.example.com/* (zone name: example.com)"], "https://sql.example.com/"],
    [["sql.example.com (custom domain - zone name: example.com)"], "https://sql.example.com/"],
  ])("%j is %s", (targets, address) => {
    expect(addressOf(targets)?.href).toBe(address);
  });

  test.each([
    [[]],
    [["*.example.com/* (zone id: 1)"]],
    [["example.com/sql/* (zone id: 1)"]],
    [["schedule: * * * * *"]],
  ])("%j names no single host", (targets) => {
    expect(addressOf(targets)).toBeUndefined();
  });
});

describe("the size", () => {
  const mib = 1024 * 1024;
  test("within both bounds, over our own budget, and over Cloudflare's limit", () => {
    expect(checkSize({ raw_bytes: 3 * mib, gzip_bytes: mib })).toBe(
      "3072 KiB, compressed 1024 KiB (Cloudflare takes 64 MiB)",
    );
    expect(checkSize({ raw_bytes: 9 * mib, gzip_bytes: 2 * mib + 1 })).toContain(
      "WARNING: more than 2 MiB compressed",
    );
    expect(() => checkSize({ raw_bytes: 64 * mib + 1, gzip_bytes: mib })).toThrow(/Cloudflare takes 64 MiB/);
  });
});

describe("the names in a file of secrets", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-secrets-"));
  const file = (text: string) => {
    const path = join(folder, "secrets");
    writeFileSync(path, text);
    return path;
  };

  test("are read of JSON, and of lines", () => {
    expect(namesIn(file('{"A": "pa$word", "B": "x"}'))).toEqual(["A", "B"]);
    expect(namesIn(file("# a comment\nA=1\nexport B = 'two'\n\nC=a\\$b\n"))).toEqual(["A", "B", "C"]);
  });

  test("a value that wrangler would change is refused, without the value", () => {
    const refused = () => namesIn(file("A=1\nB=secret$word\n"));
    expect(refused).toThrow(/B in .*secrets has a \$, .* write the file as JSON/);
    expect(refused).not.toThrow(/secret\$word/);
  });

  test.each([
    ['{"A": "x", "B": "", "C": null}', "B, C"],
    ['{"A": 1, "B": {"C": "x"}}', "A, B"],
    ["A=x\nB=\nC= # a comment\n", "B, C"],
    ["A=\"\"\nB=''\nC=x\n", "A, B"],
  ])("a value that is no text, or empty, is refused by name: %j", (text, names) => {
    expect(() => namesIn(file(text))).toThrow(
      `--secrets-file: ${names} in ${join(folder, "secrets")} must be a text that is not empty`,
    );
  });

  test("another kind of file is refused", () => {
    expect(() => namesIn(file("<html>"))).toThrow(/is neither JSON nor lines of NAME=value/);
  });
});
