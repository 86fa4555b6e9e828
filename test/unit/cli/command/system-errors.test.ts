import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { operatorText } from "../../../../cli/command/errors.ts";
import { systemErrorText } from "../../../../cli/command/system-errors.ts";
import { writeWhole } from "../../../../cli/project/write-whole.ts";

/** Each error is one that Node throws here. */

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (cause) {
    return cause;
  }
  throw new Error("It threw nothing.");
}

const folder = mkdtempSync(join(tmpdir(), "tidegate-errors-"));
const file = join(folder, "file");
writeFileSync(file, "");

test("a file that is missing, a folder in place of a file, and a file in place of a folder are named with their path", () => {
  const missing = join(folder, "missing");
  expect(systemErrorText(thrownBy(() => readFileSync(missing)))).toBe(
    `There is no ${missing}. Check the path.`,
  );
  expect(systemErrorText(thrownBy(() => writeWhole(folder, "")))).toBe(
    `${folder} is a folder, and a file is needed there. Name a file, or move the folder away.`,
  );
  for (const below of [join(file, "one"), join(file, "one", "two")])
    expect(systemErrorText(thrownBy(() => writeWhole(below, "")))).toMatch(
      /^A part of .*file\b.* is a file, and a folder is needed there\. Move the file away\.$/,
    );
});

test("a full disk is named with the file that should be there, and leaves nothing behind", () => {
  // /dev/full takes no byte, as a full disk.
  expect(systemErrorText(thrownBy(() => writeFileSync("/dev/full", "x")))).toMatch(
    /no room to write .*ENOSPC/,
  );
  thrownBy(() => writeWhole(folder, "half"));
  expect(readdirSync(folder)).toEqual(["file"]);
  expect(
    readdirSync(tmpdir()).filter((name) => name.startsWith(`${folder.slice(tmpdir().length + 1)}.`)),
  ).toEqual([]);
});

test("a port that is taken, a port without a program, and a name without an address are told in words", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const second = createServer().listen(port, "127.0.0.1");
  const taken = await new Promise((resolve) => second.once("error", resolve));
  expect(systemErrorText(taken)).toBe(
    `Another program listens on 127.0.0.1:${port}. Stop that program, or take another port.`,
  );
  await new Promise((resolve) => server.close(resolve));
  // fetch() hides the reason in the cause of its error.
  const refused = await fetch(`http://127.0.0.1:${port}/`).catch((cause: unknown) => cause);
  expect(operatorText(refused)).toBe(
    `No program listens on 127.0.0.1:${port} (ECONNREFUSED). Check host and port, and that the program runs.`,
  );
  const unknown = await fetch("http://no-such-host.invalid/").catch((cause: unknown) => cause);
  expect(systemErrorText(unknown)).toMatch(/^There is no address for no-such-host\.invalid \(E[A-Z_]+\)\. /);
});

test("what the system did not say stays what it is", () => {
  expect(systemErrorText(new TypeError("x is not a function"))).toBeUndefined();
  expect(systemErrorText("ENOENT")).toBeUndefined();
  const circle = new Error("one");
  circle.cause = new Error("two", { cause: circle });
  expect(systemErrorText(circle)).toBeUndefined();
});
