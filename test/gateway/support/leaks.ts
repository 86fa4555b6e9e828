import { appendFileSync } from "node:fs";
import { afterAll, inject } from "vitest";

/** A part of a line that should never have been written. */
export interface Leak {
  line: string;
  /** Which of the secrets, by its place. */
  secret: number;
}

/** Shorter than this a secret would be found in lines that do not have it. */
const shortest = 8;

/**
 * Searches lines for secrets: as they are, and as JSON, URLs and base64 write them.
 * @throws RangeError when a secret is too short to be searched for
 */
export function leaksIn(lines: readonly string[], secrets: readonly string[]): Leak[] {
  const forms = secrets.map(formsOf);
  // One search over everything is much faster than one for each line, and nearly always the only one.
  const text = lines.join("\n");
  return forms.flatMap((spellings, secret) =>
    spellings.some((spelling) => text.includes(spelling))
      ? lines
          .filter((line) => spellings.some((spelling) => line.includes(spelling)))
          .map((line) => ({ line, secret }))
      : [],
  );
}

function formsOf(secret: string): string[] {
  if (secret.length < shortest) throw new RangeError(`a secret of ${secret.length} letters cannot be found`);
  const base64 = Buffer.from(secret).toString("base64").replace(/=+$/, "");
  const spellings = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    base64,
    base64.replaceAll("+", "-").replaceAll("/", "_"),
  ];
  return [...new Set(spellings)];
}

/**
 * What of an Authorization header must not be logged: the credentials, and of a token its claims and its
 * signature by themselves. The header of a token is no secret, and a few letters are nobody's.
 */
export function secretsOf(authorization: string): string[] {
  const credentials = authorization.trim().replace(/^\S+\s+/, "");
  const [, ...parts] = credentials.split(".");
  return [credentials, ...parts].filter((text) => text.length >= shortest);
}

/** One gateway's secrets and what it logged. */
export interface Watch {
  /** @param authorization what was sent as the header, if anything */
  token(authorization: string | null): void;
  /** @throws when one of the secrets is in one of the lines */
  search(lines: readonly string[]): void;
}

const open = new Set<Watch>();
// Every test file that starts a gateway imports this: one that is never closed is never searched.
afterAll(() => {
  if (open.size > 0)
    throw new Error(`${open.size} gateways were not closed, so their logs were not searched`);
});

/** @param secrets what the gateway was configured with */
export function watchLogs(secrets: readonly string[]): Watch {
  const known = new Set(secrets.filter((secret) => secret !== ""));
  const watch: Watch = {
    token(authorization) {
      for (const secret of secretsOf(authorization ?? "")) known.add(secret);
    },
    search(lines) {
      open.delete(watch);
      const leaks = leaksIn(lines, [...known]);
      if (leaks.length > 0)
        throw new Error(`secrets were logged:\n${leaks.map(({ line }) => line).join("\n")}`);
      // setup.ts adds these up for the run.
      appendFileSync(inject("searched"), `${lines.length} ${known.size}\n`);
    },
  };
  open.add(watch);
  return watch;
}
