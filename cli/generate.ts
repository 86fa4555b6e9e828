import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SavedQuery } from "../src/catalog/saved-query.ts";
import { metadataOf } from "../src/config/issuer.ts";
import { policySchema } from "../src/config/schema.ts";
import { makeDocument } from "../src/openapi/document.ts";
import type { DocumentedIssuer } from "../src/openapi/security.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { typesText } from "./generate/types.ts";
import { makeApplication, readCatalog, readQueryFiles } from "./project/application.ts";
import { mistakesIn } from "./project/changes.ts";
import { environmentOption } from "./project/environment-option.ts";
import { readLock, staleness } from "./project/lock.ts";
import { projectRoot, typed } from "./project/paths.ts";
import { readPolicyFile } from "./project/project-file.ts";
import { readText } from "./project/read-text.ts";
import { writeWhole } from "./project/write-whole.ts";

export const declaration = declare(
  "generate",
  "Writes generated/openapi.json (OpenAPI 3.1) and generated/queries.ts (TypeScript types), from queries/ and queries.lock. It asks no database. With --check, exit code 1: a file is missing or stale.",
)
  .addOption(
    environmentOption(
      "the environment whose issuers the document names; without it the document is right for each environment",
    ),
  )
  .option("--check", "writes nothing, and says which files are missing or stale", false);

const directory = "generated";

export function run({ env, check }: OptionsOf<typeof declaration>): number {
  const files = filesOf(env);
  const stale = files.filter(({ path, text }) => committed(path) !== text);
  const command = typed("generate", env === undefined ? "" : `--env ${env}`);
  for (const { path, text } of stale) {
    if (check) {
      const isMissing = committed(path) === undefined;
      console.log(
        isMissing
          ? `${path} is missing: ${command} writes it`
          : `${path} is stale: ${command} writes it anew`,
      );
    } else {
      writeWhole(join(projectRoot(), path), text);
      console.log(`${path}: written`);
    }
  }
  if (stale.length === 0) console.log(`${directory}: current`);
  return check && stale.length > 0 ? 1 : 0;
}

/** A generated file. */
interface GeneratedFile {
  /** Below the project's folder. */
  path: string;
  text: string;
}

function filesOf(env: string | undefined): GeneratedFile[] {
  const queries = readQueries();
  const document = makeDocument({ queries, issuers: env === undefined ? [] : issuersOf(env) });
  return [
    { path: join(directory, "openapi.json"), text: `${JSON.stringify(document, null, 2)}\n` },
    { path: join(directory, "queries.ts"), text: typesText(queries) },
  ];
}

/** @throws Stop for mistakes in the queries, and for a lock that is of other texts than theirs */
function readQueries(): SavedQuery[] {
  let queries: SavedQuery[];
  try {
    queries = readCatalog();
  } catch (cause) {
    throw cause instanceof Stop ? cause : new Stop(operatorText(cause));
  }
  const stale = staleness(readQueryFiles(), readLock());
  if (stale.length > 0) throw new Stop(stale.join("\n"));
  return queries;
}

/** @throws Stop for mistakes in the environment's policy */
function issuersOf(env: string): DocumentedIssuer[] {
  try {
    const { policy } = makeApplication(env, readPolicyFile(env));
    return policySchema
      .parse(policy)
      .issuers.map(({ issuer, audience: audiences, audience_claim: audienceClaim, discovery, dpop }) => ({
        issuer,
        audiences,
        audienceClaim,
        discovery: discovery && metadataOf({ issuer }),
        dpop,
      }));
  } catch (cause) {
    throw cause instanceof Stop ? cause : new Stop(mistakesIn(env, cause).join("\n"));
  }
}

/** Line ends do not count: git may change them. */
function committed(path: string): string | undefined {
  const file = join(projectRoot(), path);
  return existsSync(file) ? readText(file).replaceAll("\r\n", "\n") : undefined;
}
