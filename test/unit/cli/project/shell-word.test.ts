import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "../../../../cli/project/shell-word.ts";

test("a path may have any character: the shell reads one word, and runs nothing of it", () => {
  const path = "/srv/it's 'b' \"c\" $HOME `id` $(id) \\ ; & * ! #\nx/gateway";
  const printed = execFileSync("sh", ["-c", `printf '%s|' ${shellWord(path)} build`]);
  expect(printed.toString()).toBe(`${path}|build|`);
});
