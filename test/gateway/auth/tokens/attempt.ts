/** One request that tries to get in. */
export interface Attempt {
  name: string;
  /** The header lines, as they are sent. */
  headers: [string, string][];
  method: "GET" | "POST";
  path: string;
  body: string | undefined;
  /** The code that refuses it; undefined where several are right. */
  code: string | undefined;
}

export interface Family {
  family: string;
  attempts: Attempt[];
}

export const path = "/v1/queries/regions";

/** @returns attempts with these tokens as they are sent by default, all refused with the same code */
export function bearing(code: string | undefined, tokens: Record<string, string>): Attempt[] {
  const values = Object.entries(tokens).map(([name, token]) => [name, `Bearer ${token}`] as const);
  return presenting(code, Object.fromEntries(values));
}

/** @returns attempts with these values of the header Authorization */
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
