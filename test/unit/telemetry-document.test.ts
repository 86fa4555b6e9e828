import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { packageRoot } from "../../cli/project/paths.ts";
import type { Ending } from "../../src/db/pool/work/transaction.ts";
import type { Event } from "../../src/telemetry.ts";
import { observe } from "../../src/telemetry.ts";

/** docs/reference/log-events.md must agree with src/telemetry.ts. */

type Members<E> = {
  [Name in Exclude<keyof E, "event">]-?: undefined extends E[Name] ? "sometimes" : "always";
};

/** Every event and member of the union: the compiler refuses one too many, one too few, and a wrong word. */
const events: { [E in Event as E["event"]]: Members<E> } = {
  request: {
    request_id: "always",
    trace_id: "sometimes",
    span_id: "sometimes",
    parent_span_id: "sometimes",
    trace_flags: "sometimes",
    method: "always",
    route: "always",
    status: "always",
    code: "sometimes",
    fault: "sometimes",
    reason: "sometimes",
    account: "sometimes",
    grant: "sometimes",
    denial: "sometimes",
    token: "sometimes",
    issuer: "sometimes",
    subject: "sometimes",
    action: "sometimes",
    statement: "sometimes",
    replayed: "sometimes",
    duration_ms: "always",
    timings: "sometimes",
  },
  misconfigured: { mistakes: "always" },
  connection_opened: { account: "always", identity: "always", host: "always", duration_ms: "always" },
  connection_refused: { account: "always", host: "sometimes", code: "always", reason: "always" },
  host_failed: { account: "always", host: "always", code: "always", retry_in_ms: "always" },
  host_recovered: { account: "always", host: "always" },
  host_read_only: { account: "always", host: "always" },
  connection_closed: { account: "always", reason: "always" },
  transaction_ended: { account: "always", reason: "always", duration_ms: "always" },
  certificate_expiring: { account: "always", kind: "always", subject: "always", days_left: "always" },
  keys_unavailable: { issuer: "always", reason: "always" },
  keys_refused: { issuer: "always", reasons: "always" },
  ending_lost: { request_id: "always", reason: "always" },
  work_failed: {
    request_id: "always",
    trace_id: "sometimes",
    account: "always",
    code: "always",
    reason: "sometimes",
  },
};

/** How a transaction ends: the compiler refuses one too many and one too few. */
const endings: Record<Ending, true> = {
  committed: true,
  rolled_back: true,
  expired: true,
  deadline: true,
  lost: true,
  abandoned: true,
  cancelled: true,
  procedure: true,
  unknown: true,
};

const document = readFileSync(join(packageRoot, "docs/reference/log-events.md"), "utf8");
const sections = new Map(
  document.split(/^## /m).flatMap((section) => {
    const [, name = "", text = ""] = /^([a-z_]+)\n([\s\S]*)$/.exec(section) ?? [];
    return name === "" ? [] : [[name, text] as const];
  }),
);

/** @returns the level of the line that the real `observe` writes */
function levelOf(event: object): string[] {
  const levels: string[] = [];
  const warn = vi.spyOn(console, "warn").mockImplementation(() => void levels.push("warning"));
  const log = vi.spyOn(console, "log").mockImplementation(() => void levels.push("info"));
  observe(event as Event);
  warn.mockRestore();
  log.mockRestore();
  return levels;
}

describe("docs/reference/log-events.md", () => {
  test("has a section for each event, and no other", () => {
    expect([...sections.keys()].sort()).toEqual(Object.keys(events).sort());
  });

  test.each(Object.entries(events))("names the members of %s, and which may be missing", (name, members) => {
    const rows = (sections.get(name) ?? "").matchAll(/^\| `([a-z_]+)` \| (yes|no) \| .+ \|$/gm);
    const documented = [...rows].map(([, member, always]) => [
      member,
      always === "yes" ? "always" : "sometimes",
    ]);
    expect(Object.fromEntries(documented)).toEqual(members);
  });

  test.each(Object.keys(events))("says the level of %s, when it is written, and what to do", (name) => {
    const text = sections.get(name) ?? "";
    expect(text).toMatch(/When: \w/);
    expect(text).toMatch(/^What to do: \S/m);
    const [, level, whenFailed] =
      /^Level: (info|warning)(?:; (\w+) if `status` is 500 or more)?\./m.exec(text) ?? [];
    expect(levelOf({ event: name, status: 499 })).toEqual([level]);
    expect(levelOf({ event: name, status: 500 })).toEqual([whenFailed ?? level]);
  });

  test("names every way in which a transaction ends", () => {
    const [, row = ""] = /^\| `reason` \| yes \| (.*)/m.exec(sections.get("transaction_ended") ?? "") ?? [];
    expect([...row.matchAll(/`([a-z_]+)`/g)].map(([, how]) => how)).toEqual(Object.keys(endings));
  });

  test("has no event that no code writes", () => {
    const files = readdirSync(join(packageRoot, "src"), { recursive: true, encoding: "utf8" });
    const code = files
      .filter((name) => name.endsWith(".ts") && name !== "telemetry.ts")
      .map((name) => readFileSync(join(packageRoot, "src", name), "utf8"))
      .join("\n");
    expect(Object.keys(events).filter((name) => !code.includes(`event: "${name}"`))).toEqual([]);
  });
});
