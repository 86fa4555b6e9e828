import { expect, test } from "vitest";
import { movePath, preparePam } from "../../../../servers/database/pam.ts";
import { ServerUnavailableError } from "../../../../servers/errors.ts";

test("a path in a compiled file is replaced at each place, and no byte moves", () => {
  const binary = Buffer.from("\x7fELF\xff\0/etc/security/user_map.conf\0%s: /etc/security/\0\xfe", "latin1");
  const moved = movePath(binary, "/etc/security/", "../run/pam");
  expect(moved.toString("latin1")).toBe("\x7fELF\xff\0../run/pam////user_map.conf\0%s: ../run/pam////\0\xfe");
});

test("a path as long as the one it replaces fits, a longer one is refused", () => {
  const binary = Buffer.from("/etc/pam.d\0");
  expect(movePath(binary, "/etc/pam.d", "../run/pam").toString()).toBe("../run/pam\0");
  expect(() => movePath(binary, "/etc/pam.d", "../run/pam.")).toThrow(RangeError);
});

test("a path that does not occur is an error: the server would read this machine's PAM", () => {
  expect(() => movePath(Buffer.from("/usr/etc/pam"), "/etc/pam.d", "../run/pam")).toThrow(RangeError);
});

test.each(["mysql", "mariadb"] as const)("%s from the PATH has no PAM", (engine) => {
  const paths = { dataDirectory: "/nowhere/data", runDirectory: "/nowhere/run", socket: "" };
  const installation = {
    kind: "native" as const,
    engine,
    version: "",
    source: "the PATH",
    program: "/nowhere/server",
    command: ["/nowhere/server"],
    environment: {},
    layout: [],
    shareDirectories: [],
  };
  expect(() => preparePam(installation, paths)).toThrow(ServerUnavailableError);
});
