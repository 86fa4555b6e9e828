import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { findTidb } from "../../../../servers/database/tidb/installation.ts";
import { configurationFile } from "../../../../servers/database/tidb-configuration.ts";

describe("the search for a TiDB", () => {
  let folder: string;
  const lines: string[] = [];
  const find = () => findTidb((line) => lines.push(line));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-tidb-"));
    lines.length = 0;
    // The PATH has only the shell, which the programs below need.
    vi.stubEnv("PATH", folder);
    vi.stubEnv("TIDEGATE_TIDB", "");
    vi.stubEnv("XDG_CACHE_HOME", folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A program that prints the version of a server. */
  function program(name: string, script: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }
  const server = (name: string, release: string) =>
    program(name, `echo "Release Version: ${release}"; echo "Edition: Community"`);

  test("first the program that TIDEGATE_TIDB names", async () => {
    server("tidb-server", "v8.5.1");
    vi.stubEnv("TIDEGATE_TIDB", server("mine", "v8.5.9"));
    expect(await find()).toMatchObject({ version: "v8.5.9", program: join(folder, "mine") });
  });

  test("if this program does not run, nothing else is tried", async () => {
    server("tidb-server", "v8.5.1");
    vi.stubEnv("TIDEGATE_TIDB", join(folder, "none"));
    await expect(find()).rejects.toThrow(/^TIDEGATE_TIDB: .*none is not an executable file$/);
    vi.stubEnv("TIDEGATE_TIDB", program("other", "echo mysqld Ver 9.7.4"));
    await expect(find()).rejects.toThrow(
      /^TIDEGATE_TIDB: .*other is no TiDB server that runs: mysqld Ver 9.7.4/,
    );
  });

  test("then tidb-server on the PATH, then tiup", async () => {
    const fromTiup = server("component", "v8.5.4");
    program("tiup", `case "$1" in install) exit 0;; --binary) echo ${fromTiup};; esac`);
    expect(await find()).toMatchObject({ version: "v8.5.4", program: fromTiup });
    const onPath = server("tidb-server", "v8.5.1");
    expect(await find()).toMatchObject({ version: "v8.5.1", program: onPath });
  });

  test("then Docker, if its daemon answers", async () => {
    program("docker", "echo 28.0");
    expect(await find()).toMatchObject({ image: expect.stringMatching(/^pingcap\/tidb:v8\.5/) });
  });

  test("a Go that is too old builds nothing", async () => {
    program("go", "echo go1.24.3");
    await expect(find()).rejects.toThrow(/- Go: .*go is go1\.24\.3, TiDB needs go1\.25/);
  });

  test("without any of them: names each way, its failure, and what helps", async () => {
    await expect(find()).rejects.toThrow(
      [
        "No TiDB server was found. Tried:",
        "- tidb-server on the PATH: not found",
        "- tiup: not found",
        "- Docker: docker is not installed",
        "- Go: no go on the PATH",
        "What helps: set TIDEGATE_TIDB to the path of a tidb-server;",
      ].join("\n"),
    );
  });
});

describe("the configuration file", () => {
  const place = {
    host: "127.0.0.1",
    port: 4000,
    dataDirectory: "/data",
    temporaryDirectory: "/tmp/t",
    tlsDirectory: "/tls",
  };

  test("keeps all files in its folder, and listens only on its port", () => {
    expect(parse(configurationFile(place, "required"))).toMatchObject({
      ...{
        host: "127.0.0.1",
        port: 4000,
        path: "/data",
        socket: "",
        "temp-dir": "/tmp/t",
        store: "unistore",
      },
      status: { "report-status": false },
      security: { "ssl-cert": "/tls/server.pem", "ssl-key": "/tls/server.key", "auto-tls": false },
    });
  });

  test("without TLS has no certificate, and makes none itself", () => {
    expect(parse(configurationFile(place, "none")).security).toEqual({ "auto-tls": false });
  });

  test("adds further settings to its sections", () => {
    const { security } = parse(
      configurationFile(place, "offered", {
        security: { "tls-version": "TLSv1.3", "skip-grant-table": true },
      }),
    );
    expect(security).toMatchObject({
      ...{ "tls-version": "TLSv1.3", "skip-grant-table": true, "ssl-cert": "/tls/server.pem" },
    });
  });
});
