import { describe, expect, test } from "vitest";
import { debianMirrors, parseIndexTargets } from "../../../../servers/database/debian.ts";

describe("the Debian mirror of the machine's apt", () => {
  test("by the label of its release file, without security and other vendors, each once", () => {
    const output = [
      "http://security.example/debian-security/\tDebian-Security\tbookworm-security",
      "https://download.docker.example/linux/debian/\tDocker CE\tbookworm",
      "file:/srv/mirror/debian/\tDebian\tbookworm",
      "http://mirror.example/pub/archive/\tDebian\tbookworm",
      "http://mirror.example/pub/archive/\tDebian\tbookworm-updates",
      "",
    ].join("\n");
    expect(debianMirrors(parseIndexTargets(output))).toEqual([
      "http://mirror.example/pub/archive/",
      "file:/srv/mirror/debian/",
    ]);
  });

  test("by its address, if the lists were never fetched and apt knows no label", () => {
    const output = [
      "cdrom:[Debian 12]/\t$(LABEL)\tbookworm",
      "http://mirror.example/debian/\t$(LABEL)\tbookworm",
      "http://mirror.example/debian-security/\t$(LABEL)\tbookworm-security",
      "http://archive.example/archive/debian/20260101T000000Z/\t$(LABEL)\tbookworm",
      "mirror+file:/etc/apt/mirrors/debian.list\t$(LABEL)\tbookworm",
    ].join("\n");
    expect(debianMirrors(parseIndexTargets(output))).toEqual([
      "http://mirror.example/debian/",
      "http://archive.example/archive/debian/20260101T000000Z/",
      "mirror+file:/etc/apt/mirrors/debian.list",
    ]);
  });

  test("a known label holds for every line with this address", () => {
    const output = [
      "https://download.docker.example/linux/debian/\tDocker CE\tbookworm",
      "https://download.docker.example/linux/debian/\t$(LABEL)\tbookworm",
    ].join("\n");
    expect(debianMirrors(parseIndexTargets(output))).toEqual([]);
  });

  test("none on Ubuntu", () => {
    const output = "http://archive.ubuntu.example/ubuntu/\tUbuntu\tnoble\n";
    expect(debianMirrors(parseIndexTargets(output))).toEqual([]);
  });
});
