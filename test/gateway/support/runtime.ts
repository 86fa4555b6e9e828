import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { TestRunner } from "vitest";
import { createTestHarness } from "wrangler";
import { prepareServe } from "../../../cli/serve/prepare.ts";
import { startWorkerd } from "../../../cli/serve/workerd.ts";

/** What the gateway under test runs on. */
export interface Runtime {
  url: URL;
  logs(): { level: string; message: string }[];
  /** Ends a Durable Object in memory; its storage stays. */
  evict(binding: string, name: string): Promise<void>;
  close(): Promise<void>;
}

export interface RuntimeOptions {
  /** wrangler's configuration. */
  configPath: string;
  /** A folder for this gateway alone. */
  directory: string;
  secrets: Record<string, string>;
  /** PEM: the CA that workerd trusts. */
  ca: string;
  assets: string;
}

/** Whether this run uses the code of `tidegate serve` (TIDEGATE_TEST_RUNTIME=serve) in place of wrangler's harness. */
export const isServe = process.env.TIDEGATE_TEST_RUNTIME === "serve";

/** The header in which the gateway's platform says the caller's address. */
export const clientHeader = isServe ? "x-forwarded-for" : "cf-connecting-ip";

function skip(reason: string): void {
  TestRunner.getCurrentTest()?.context.skip(reason);
  throw new Error(reason);
}

export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  return isServe ? await startServe(options) : await startHarness(options);
}

async function startHarness({ configPath, secrets }: RuntimeOptions): Promise<Runtime> {
  const harness = createTestHarness({ workers: [{ configPath, secrets }] });
  const { url } = await harness.listen();
  return {
    url,
    logs: () => harness.getLogs(),
    evict: (binding, name) => harness.getWorker().evictDurableObject(binding, { name }),
    close: () => harness.close(),
  };
}

async function startServe({ configPath, directory, secrets, ca, assets }: RuntimeOptions): Promise<Runtime> {
  const lines: { level: string; message: string }[] = [];
  let isStarting = true;
  const state = join(directory, "state");
  for (const folder of [assets, state]) mkdirSync(folder, { recursive: true });
  const prepared = await prepareServe(
    { wrangler: configPath, assets, state, directory: join(directory, "serve") },
    { authorities: [ca], warnings: [] },
    // Tests that write the platform's header are the proxy of their callers.
    ["127.0.0.1/32"],
  );
  const workerd = await startWorkerd({
    configPath: prepared,
    listen: { address: "127.0.0.1", port: 0 },
    environment: secrets,
    output: (level, message) => {
      // The start's own request is not one of the test.
      const isProbe = isStarting && message.includes('"route":"/livez"');
      if (isProbe) isStarting = false;
      else lines.push({ level, message });
    },
  });
  return {
    url: new URL(workerd.url),
    logs: () => lines,
    evict: async () => skip("plain workerd has no way to end an object"),
    async close() {
      await workerd.stop();
    },
  };
}
