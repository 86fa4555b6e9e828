import { Stop } from "../command/errors.ts";
import { clean } from "../node/connection-errors.ts";
import { readAuthorities } from "./check.ts";
import { ask, isTerminal, readUserFile } from "./input.ts";
import type { ConnectionString } from "./strings/parse.ts";

/** Which CAs a connection trusts, by the string and the option --ca. */

/**
 * @param option the path in --ca
 * @returns the CA's certificates; undefined for the public CAs
 * @throws Stop that names the file and the remedy
 */
export async function readCa(
  connection: ConnectionString,
  option: string | undefined,
): Promise<string | undefined> {
  let path = option ?? connection.caPath;
  if (path === undefined && connection.needsCa && isTerminal) path = await ask("The CA's PEM file: ");
  if (!path) {
    if (connection.needsCa) throw new Stop("The CA's certificate is missing: give it with --ca ca.pem.");
    return undefined;
  }
  const name =
    option === undefined ? "The CA file that the string names" : `The file of --ca (${clean(option)})`;
  try {
    return readAuthorities(readUserFile(path));
  } catch (cause) {
    const hint = option === undefined ? " Give it with --ca ca.pem." : "";
    throw new Stop(`${name} ${(cause as Error).message}.${hint}`);
  }
}

/** Refuses settings that the platform's own TLS does not have. @throws Stop */
export function judgePublicTrust({ tlsMin, tlsMax }: ConnectionString): void {
  if (tlsMin === "TLSv1.3")
    throw new Stop(
      "The string demands TLS 1.3, and without a CA of its own the platform's link takes 1.2 as well: give the CA with --ca ca.pem, or allow TLS 1.2.",
    );
  if (tlsMax === "TLSv1.2")
    console.error("Note: the string pins TLS 1.2; the platform's link also takes 1.3, which is not less.");
  console.error("Note: without --ca the server's certificate must be issued by a public CA.");
}
