import { TidegateError } from "./error.ts";
import { queryName } from "./names.ts";
import type { QueryOptions } from "./query-types.ts";
import type { Counts, Result } from "./result.ts";
import { collect, ndjson } from "./result.ts";
import type { Call } from "./sender.ts";
import type { Client } from "./statement.ts";
import { rowsOf } from "./statement.ts";
import { encodePairs, encodeParameters } from "./values.ts";

interface PageWanted extends QueryOptions {
  pageSize?: number;
  cursor?: string;
  total?: boolean;
}

type Headed = { result: Result<unknown>; headers: Headers };

/** @returns an object with a function for each name that is asked of it */
export function queriesOf(client: Client): object {
  const made = new Map<string, unknown>();
  return new Proxy(Object.create(null), {
    get(_, key) {
      if (typeof key === "symbol") return undefined;
      if (!made.has(key)) made.set(key, queryOf(client, queryName(key)));
      return made.get(key);
    },
  });
}

function queryOf({ sender, conversions, keyOf }: Client, name: string) {
  const call = (
    parameters: object = {},
    options: QueryOptions = {},
    paging: [string, string][] = [],
  ): Call => {
    // So is `await db.query` told, which would ask for the query "then".
    if (typeof parameters !== "object") throw new TypeError(`The parameters of ${name} are no object.`);
    const { method = "POST", signal } = options;
    const isGet = method === "GET";
    const pairs = new URLSearchParams([
      ...(isGet ? encodePairs(parameters) : []),
      ["rows", "array"],
      ...paging,
    ]);
    const key = isGet ? undefined : keyOf(options);
    return {
      method,
      path: `/v1/queries/${encodeURIComponent(name)}?${pairs}`,
      accept: ndjson,
      ...(isGet ? {} : { body: encodeParameters(parameters) }),
      key,
      repeatable: isGet || key !== undefined,
      signal,
    };
  };
  const ask = (call: Call): Promise<Headed> =>
    sender.send(call, async (response, sent) => ({
      result: await collect(response, conversions, sent),
      headers: response.headers,
    }));

  const query = (parameters?: object, options?: QueryOptions) =>
    ask(call(parameters, options)).then(answerOf);
  return Object.assign(query, {
    maybe: (parameters?: object, options?: QueryOptions) =>
      query(parameters, options).catch((error: unknown) => {
        if (error instanceof TidegateError && error.code === "row_missing") return undefined;
        throw error;
      }),
    result: (parameters?: object, options?: QueryOptions) =>
      ask(call(parameters, options)).then(({ result }) => result),
    stream: (parameters?: object, options?: QueryOptions) =>
      rowsOf(sender, call(parameters, options), conversions),
    async page(parameters?: object, { pageSize, cursor, total, ...options }: PageWanted = {}) {
      const paging = Object.entries({ page_size: pageSize, cursor, total }).flatMap(
        ([word, value]): [string, string][] => (value === undefined ? [] : [[word, String(value)]]),
      );
      const { result, headers } = await ask(call(parameters, options, paging));
      const count = headers.get("total-count");
      return {
        rows: result.rows,
        next: nextOf(headers.get("link") ?? ""),
        total: count === null ? undefined : Number(count),
      };
    },
  });
}

/** The gateway says what its answer is: rows, one row, or the counts of a change. */
function answerOf({ result, headers }: Headed): unknown {
  const kind = headers.get("tidegate-result");
  const { rows, columns: _, sets: __, ...counts } = result;
  if (kind === "exec") return counts satisfies Counts;
  return kind === "one" ? rows[0] : rows;
}

/** @returns the cursor of the Link to the next page (RFC 8288) */
function nextOf(link: string): string | undefined {
  const [, target] = /<([^>]*)>; rel="next"/.exec(link) ?? [];
  return (target && new URL(target, "http://gateway").searchParams.get("cursor")) || undefined;
}
