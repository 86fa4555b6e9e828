import type { KeyServer, SigningKey } from "../../servers/issuer/issuer.ts";
import { mint, startKeyServer } from "../../servers/issuer/issuer.ts";
import { developmentLogin } from "../../servers/issuer/login.ts";
import type { Role } from "../project/roles.ts";
import { runs, subjectOf } from "../project/roles.ts";

/** The audience of the development issuer's tokens. */
export const audience = "tidegate";
/** The lifetime of a token that a page gets by a login. */
const tokenSeconds = 3600;

/**
 * Starts the development issuer, with a login page for the roles that may run something.
 * @param roles of the policy as it is served now
 */
export async function startIssuer(
  key: SigningKey,
  port: number,
  roles: () => readonly Role[],
): Promise<KeyServer> {
  const issuer = `http://127.0.0.1:${port}`;
  const { metadata, routes } = developmentLogin({
    issuer,
    roles: () =>
      roles()
        .filter(runs)
        .map(({ name }) => name),
    expiresSeconds: tokenSeconds,
    mint: ({ role: name, clientId }) => {
      const role = roles().find((one) => one.name === name);
      return mint(key, { ...claimsOf(issuer, role), client_id: clientId }, { expires: `${tokenSeconds}s` });
    },
  });
  return await startKeyServer([key.publicJwk], port, { metadata, routes });
}

/** @returns a token for each role, by its name, valid for 12 hours */
export async function tokensOf(
  key: SigningKey,
  issuer: string,
  roles: readonly Role[],
): Promise<Record<string, string>> {
  const entries = roles.map(
    async (role) => [role.name, await mint(key, claimsOf(issuer, role), { expires: "12h" })] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** @param role undefined: it was taken out of the policy after the login, and no grant matches */
function claimsOf(issuer: string, role: Role | undefined) {
  return { ...role?.claims, iss: issuer, aud: audience, sub: subjectOf(role?.grant) };
}
