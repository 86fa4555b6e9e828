import { appendFileSync } from "node:fs";
import { afterAll, inject } from "vitest";

/** A part of a line that must never be logged. */
export interface Leak {
  line: string;
  /** The index of the secret. */
  secret: number;
}

/** A shorter secret would be found in lines that do not contain it. */
const shortest = 8;

/**
 * Searches lines for secrets: as plain text, and as JSON, URLs and base64 write them.
 * @throws RangeError if a secret is too short for the search
 */
export function leaksIn(lines: readonly string[], secrets: readonly string[]): Leak[] {
  const forms = secrets.map(formsOf);
  // One search in the whole text is much faster than one for each line, and nearly always enough.
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
 * The parts of an Authorization header that must not be logged: the credentials, and the claims and the
 * signature of a token by themselves. The header of a token is no secret, and neither are a few letters.
 */
export function secretsOf(authorization: string): string[] {
  const credentials = authorization.trim().replace(/^\S+\s+/, "");
  const [, ...parts] = credentials.split(".");
  return [credentials, ...parts].filter((text) => text.length >= shortest);
}

/** One gateway's secrets and log lines. */
export interface Watch {
  /** @param authorization the value of the sent header, if any */
  token(authorization: string | null): void;
  /** @throws Error if one of the secrets is in one of the lines */
  search(lines: readonly string[]): void;
}

const open = new Set<Watch>();
// Every test file that starts a gateway imports this. A gateway that is never closed would never be
// searched.
afterAll(() => {
  if (open.size > 0)
    throw new Error(`${open.size} gateways were not closed, so their logs were not searched`);
});

/** @param secrets those in the gateway's configuration */
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
      // setup.ts adds these numbers up for the run.
      appendFileSync(inject("searched"), `${lines.length} ${known.size}\n`);
    },
  };
  open.add(watch);
  return watch;
}
