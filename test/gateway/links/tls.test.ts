// Runs on mariadb only: the engine has no part in what it tests.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkConnection } from "../../../cli/connect/check.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { Evidence } from "../../servers/adversary/behaviour.ts";
import { startRogue } from "../../servers/adversary/rogue.ts";
import type { GatewayOptions } from "../support/harness.ts";
import { expectProblem } from "../support/harness.ts";
import { hostileServers, trusting } from "./tls-cases.ts";
import { good, identity, pki } from "./tls-certificates.ts";
import { ask, expectTrusted, stopRogues } from "./tls-rogues.ts";

/** Every link makes the same promise, so every link is tested with the same rogues. */
const links: Record<string, GatewayOptions> = {
  platform: {},
  rustls: { bundle: pki.ca },
};
const columns = [...Object.keys(links), "npx tidegate connect"];

afterAll(stopRogues);

/** The result for each hostile server: where it was refused, and how many bytes of credentials it got. */
const matrix = new Map<string, Map<string, Set<string>>>();

/** A client reads late clear text as TLS, or a slow client never reads it. */
const eitherWay = "tls, 0, or not noticed";

function record(row: string, column: string, cell: string): void {
  const cells = matrix.get(row) ?? new Map<string, Set<string>>();
  matrix.set(row, cells.set(column, (cells.get(column) ?? new Set()).add(cell)));
}

/** The server has learned nothing. @returns whether it was verified, which only `ignorable` ones may be */
function expectNothingLearned(evidence: Evidence, ignorable: boolean): boolean {
  expect(evidence.commands).toEqual([]);
  expect(evidence.clearTextBytesAfterGreeting).toBe(0);
  if (ignorable && evidence.tlsHandshakes === 1) return true;
  expect(evidence).toMatchObject({ credentialBytes: 0, userNames: [] });
  return false;
}

/** @param line the operator's line */
function stepOf(line: string): string {
  if (/no verified TLS|offers no TLS|did not finish the TLS/.test(line)) return "tls";
  return /greet|MySQL's protocol/.test(line) ? "greeting" : `? ${line}`;
}

describe.each(Object.entries(links))(
  "%s: before the server is verified it learns nothing",
  (link, options) => {
    test("positive control: a verified server gets the user name", async () => {
      expectTrusted(await ask(options, trusting(await identity(pki.authority.issue(good)))));
    });

    test("positive control: an intermediate CA that the server sends is followed to the root", async () => {
      expectTrusted(await ask(options, trusting(await pki.chained())));
    });

    test("positive control: an IP address that the certificate has", async () => {
      expectTrusted(await ask(options, trusting(await identity(pki.authority.issue(good))), "127.0.0.1"));
    });

    test.each(["TLSv1.2", "TLSv1.3"] as const)("positive control: %s alone is taken", async (version) => {
      const shown = await identity(pki.authority.issue(good));
      expectTrusted(await ask(options, trusting(shown, { minVersion: version, maxVersion: version })));
    });

    test.each(hostileServers)("a server with $name", async ({ row, behave, hostname, words, ignorable }) => {
      const { answer, evidence, rogue, refusals } = await ask(options, await behave(), hostname);
      if (expectNothingLearned(evidence, ignorable === true)) {
        record(row, link, "ignored");
        return;
      }
      const line = refusals[0] ?? "";
      const isLate = /did not|no greeting|MySQL's protocol|after its greeting/.test(line);
      expectProblem(answer, 503, isLate ? "database_unreachable" : "database_tls_failed");
      expect(refusals).toHaveLength(1);
      // workerd gives no reason.
      const said =
        link === "platform"
          ? /check that its certificate is issued|did not|greet|MySQL's protocol|offers no TLS/
          : words;
      expect(line).toMatch(said);
      expect(line).toMatch(/(localhost|127\.0\.0\.1):\d+[: ]|offers no TLS/);
      expect(JSON.stringify(answer.body)).not.toMatch(/localhost|127\.0\.0\.1|certificate|example/);
      record(row, link, ignorable ? eitherWay : `${stepOf(line)}, ${evidence.credentialBytes}`);
      // A server that hangs must not keep a socket, because an object has six. But during its own TLS
      // handshake workerd has no means to close a socket (close, cancel and abort all wait for the server),
      // so the promise excludes this case.
      const isStuck = link === "platform" && line.includes("did not finish the TLS");
      if (!isStuck) await expect.poll(() => rogue.open).toBe(0);
    });
  },
);

describe("npx tidegate connect: before the server is verified it learns nothing", () => {
  test.each(hostileServers)(
    "a server with $name",
    async ({ row, behave, hostname = "localhost", ignorable }) => {
      const rogue = await startRogue(await behave());
      try {
        const found = await checkConnection({
          host: { hostname, port: rogue.port },
          credential: { password: "secret of mine", plugin: undefined, cleartext: false },
          ...{ user: "u", showsToken: false, database: "world", ca: pki.ca },
          ...{ tlsMin: "TLSv1.2", tlsMax: "TLSv1.3", timeoutMs: 1_000 },
        });
        if (!("step" in found)) throw new Error("the connection works");
        const isIgnored = expectNothingLearned(rogue.evidence, ignorable === true);
        record(
          row,
          "npx tidegate connect",
          isIgnored || ignorable ? eitherWay : `${found.step}, ${rogue.evidence.credentialBytes}`,
        );
      } finally {
        await rogue.stop();
      }
    },
  );
});

describe("the table", () => {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

  test("of docs/guides/links.md is what was found", () => {
    const table = [
      line(["a server with", ...columns]),
      line(["---", ...columns.map(() => "---")]),
      ...[...matrix].map(([row, cells]) =>
        line([row, ...columns.map((column) => [...(cells.get(column) ?? ["-"])].sort().join("; "))]),
      ),
    ];
    console.log(table.join("\n"));
    const document = readFileSync(join(packageRoot, "docs", "guides", "links.md"), "utf8");
    const documented = /\| a server with \|[\s\S]*?\n(?!\|)/.exec(document)?.[0].trim().split("\n");
    expect(table).toEqual(documented);
  });
});
