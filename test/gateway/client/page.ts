import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { vi } from "vitest";
import { packageProgram, packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, issuers, startGateway, testAccount } from "../support/harness.ts";

/** The examples of a page in docs/guides, one after the other, as one module of this checkout. */
export interface Page {
  /** The page's text. */
  text: string;
  /** Compiles the examples and runs them. @returns what they print, and what the page says behind each console.log */
  run(): Promise<{ printed: string[]; expected: string[] }>;
  close(): Promise<void>;
}

/**
 * @param name of the page
 * @param author of the notes that its examples write
 * @param inCheckout names this checkout's modules in the place of the package's
 */
export async function startPage(
  name: string,
  author: string,
  inCheckout: (examples: string) => string,
): Promise<Page> {
  const text = readFileSync(join(packageRoot, `docs/guides/${name}.md`), "utf8");
  const administrator = await connectAdministrator(databaseServer());
  const allow = ["query:*", "sql:read", "sql:write", "transaction"];
  const gateway = await startGateway({
    accounts: { editor: testAccount("editor") },
    grants: [{ issuer: issuers.remote, account: "editor", allow }],
  });
  const directory = mkdtempSync(join(packageRoot, `.tidegate/test/${name}-document-`));
  return {
    text,
    async run() {
      const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
      const examples = inCheckout(blocks.join("\n"));
      compile(directory, examples);
      const token = () => gateway.token({ sub: `${name}-document` });
      const session = { token: await token(), renew: token };
      Object.assign(globalThis, { gateway: gateway.url.href, session });
      const expected = [...examples.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)];
      return { printed: await printedBy(directory), expected: expected.map(([, line = ""]) => line) };
    },
    async close() {
      await gateway.close();
      rmSync(directory, { recursive: true, force: true });
      await administrator.query("DELETE FROM world.notes WHERE author = ?", [author]);
      await administrator.end();
    },
  };
}

function compile(directory: string, examples: string): void {
  const around = `declare global {
  var gateway: string;
  var session: { token: string; renew(): Promise<string> };
}
`;
  writeFileSync(join(directory, "page.ts"), around + examples);
  const config = { extends: "../../../tsconfig.node.json", include: ["page.ts"] };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  execFileSync(process.execPath, [packageProgram("typescript", "tsc"), "-p", directory], {
    stdio: "inherit",
  });
}

async function printedBy(directory: string): Promise<string[]> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    lines.push(values.map((value) => JSON.stringify(value) ?? "undefined").join(" "));
  });
  try {
    await import(pathToFileURL(join(directory, "page.ts")).href);
  } finally {
    log.mockRestore();
  }
  return lines;
}
