import { expect, test } from "vitest";
import { demandPosix } from "../../../../cli/command/platform.ts";

test("Windows is refused in a line that says where the command runs", () => {
  expect(() => demandPosix("serve", "win32")).toThrow(
    /^tidegate serve does not run on Windows itself: .*WSL/,
  );
  for (const platform of ["linux", "darwin"] as const) demandPosix("serve", platform);
});
