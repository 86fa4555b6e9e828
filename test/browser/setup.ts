import type { TestProject } from "vitest/node";
import { messageOf } from "../../servers/errors.ts";
import type { Chromium } from "./chromium.ts";
import { findChromium } from "./chromium.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Null if none is available; then the tests of the browser are skipped. */
    chromium: Chromium | null;
  }
}

/**
 * Finds or fetches Chromium before the tests.
 * @throws Error if there is none and CI is set (CI skips nothing), or if TIDEGATE_CHROMIUM names one that
 * does not run
 */
export default async function setup(project: TestProject): Promise<void> {
  const log = (line: string) => console.log(`  ${line}`);
  try {
    const chromium = await findChromium(log);
    log(`Chromium ${chromium.version}: ${chromium.source}`);
    project.provide("chromium", chromium);
  } catch (error) {
    if (process.env.CI || process.env.TIDEGATE_CHROMIUM) throw error;
    log(`SKIPPED, the tests of the browser. ${messageOf(error)}`);
    project.provide("chromium", null);
  }
}
