/** One request that tries to get access. */
export interface Attempt {
  name: string;
  /** The header lines, sent unchanged. */
  headers: [string, string][];
  method: "GET" | "POST";
  path: string;
  body: string | undefined;
  /** The code of the refusal; undefined if several codes are right. */
  code: string | undefined;
}

export interface Family {
  family: string;
  attempts: Attempt[];
}

export const path = "/v1/queries/regions";

/** @returns attempts that send these tokens in the usual way; each is refused with this code */
export function bearing(code: string | undefined, tokens: Record<string, string>): Attempt[] {
  const values = Object.entries(tokens).map(([name, token]) => [name, `Bearer ${token}`] as const);
  return presenting(code, Object.fromEntries(values));
}

/** @returns attempts with these values of the Authorization header */
export function presenting(code: string | undefined, values: Record<string, string>): Attempt[] {
  return Object.entries(values).map(([name, value]) => ({
    name,
    headers: [["authorization", value]],
    method: "GET",
    path,
    body: undefined,
    code,
  }));
}
