import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { trustOf } from "../../../../cli/serve/authorities.ts";
import { startWorkerd } from "../../../../cli/serve/workerd.ts";
import { workerdConfig } from "../../../../cli/serve/workerd-config.ts";
import { createAuthority } from "../../../../servers/pki.ts";

/** What workerd trusts, with a Worker that only asks a server over https. */

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const policy = { cluster: { link: "platform", trust: "runtime" }, issuers: [] } as unknown as Parameters<
  typeof trustOf
>[0];

let directory: string;
const path = (name: string) => join(directory, name);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "trusted-"));
  mkdirSync(path("state"));
  const worker = `export class Drain {}
export default {
  async fetch(request, { SERVER }) {
    if (new URL(request.url).pathname === "/livez") return new Response("live");
    return await fetch(SERVER).catch((cause) => new Response(String(cause), { status: 502 }));
  },
};`;
  writeFileSync(path("worker.js"), worker);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** @returns the status of an answer that workerd fetches from a server, if it trusts these CAs */
async function fetchTrusting(authorities: string[], url: string): Promise<number> {
  const configPath = path("workerd.capnp");
  const worker = {
    ...{ name: "gateway", compatibility_date: "2026-11-01", compatibility_flags: [] },
    ...{ bundle: { directory, modules: ["worker.js"] }, texts: { SERVER: url } },
  };
  const sockets = ["gateway", "drain"].map((name) => ({ name, service: "gateway" }));
  const tls = { systemAuthorities: false, authorities };
  writeFileSync(configPath, workerdConfig(configPath, { workers: [worker], sockets, disks: [], tls }));
  const listen = { address: "127.0.0.1", port: 0 };
  const workerd = await startWorkerd({ configPath, listen, environment: {}, output: () => {} });
  try {
    const { status } = await fetch(workerd.url);
    return status;
  } finally {
    await workerd.kill();
  }
}

test("each CA of NODE_EXTRA_CA_CERTS counts, not only the first", async () => {
  const authorities = await Promise.all(Array.from({ length: 12 }, (_, i) => createAuthority(`CA ${i}`)));
  const last = authorities[11] as (typeof authorities)[number];
  const { certificate: cert, key } = await last.issue({ commonName: "localhost", dns: ["localhost"] });
  const server = createServer({ cert, key }, (_, response) => response.end("good"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const url = `https://localhost:${port}/`;
  try {
    writeFileSync(path("many.pem"), authorities.map(({ certificate }) => certificate).join(""));
    const trusted = trustOf(policy, { NODE_EXTRA_CA_CERTS: path("many.pem") }).authorities;
    expect(trusted.length).toBe(12);
    expect(await fetchTrusting(trusted, url)).toBe(200);
    expect(await fetchTrusting(trusted.slice(0, -1), url)).not.toBe(200);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
