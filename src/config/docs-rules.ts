import { isSafeUrl } from "./safe-url.ts";

type Table = Record<string, unknown>;

/**
 * Checks the login of the documentation page. The page talks to the gateway and to one issuer.
 * @param docs as written in the policy; the issuers too
 * @returns the mistakes, one line each
 */
export function docsMistakes(docs: Table, issuers: readonly unknown[], environment: string): string[] {
  const { issuer, client_id, scope } = docs;
  if (issuer === undefined) {
    return client_id === undefined && scope === undefined
      ? []
      : ["docs.issuer: is missing; without a login leave out client_id and scope too"];
  }
  const known = (issuers as Table[]).find((each) => each?.issuer === issuer);
  const mistakes = client_id === undefined ? ["docs.client_id: is missing; the login needs it"] : [];
  if (!known) return [...mistakes, `docs.issuer: no issuer "${issuer}" is configured`];
  if (!isSafeUrl(String(issuer), environment)) {
    mistakes.push(
      "docs.issuer: must be an https URL, where a browser can log in (http only for loopback in development)",
    );
  }
  if (known.dpop === "required") {
    mistakes.push(`docs.issuer: has dpop = "required", but the page sends its token without a proof`);
  }
  return mistakes;
}
