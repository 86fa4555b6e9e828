import type { Gateway } from "./harness.ts";

/** An answer in lines, or the problem document instead of it or at its end. */
export interface Lines {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  body: any;
}

/**
 * Runs a statement and asks for NDJSON. Rows that wait for 100 ms are sent. So on a busy machine an error
 * may come after them; a JSON answer would break off then.
 * @returns the answer's parts in one object, as JSON has them, or the problem document with its status
 */
export async function inLines(
  gateway: Gateway,
  body: object,
  { role = "analyst", path = "/v1/sql" } = {},
): Promise<Lines> {
  const headers = {
    authorization: `Bearer ${await gateway.token({ role })}`,
    "content-type": "application/json",
    accept: "application/x-ndjson",
  };
  const response = await gateway.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const lines = (await response.text()).trimEnd().split("\n");
  const [first, ...rest] = lines.map((line) => JSON.parse(line));
  if (response.status !== 200) return { status: response.status, body: first };
  const last = rest.pop();
  if (last.error) return { status: last.error.status, body: last.error };
  return { status: 200, body: { ...first, rows: rest, ...last } };
}
