import { ownError } from "./error.ts";
import { queryName } from "./names.ts";
import type { QueryOptions } from "./query-types.ts";
import type { Counts, Result } from "./result.ts";
import { collect, ndjson } from "./result.ts";
import type { Call } from "./sender.ts";
import type { Client } from "./statement.ts";
import { rowsOf } from "./statement.ts";
import { encodeObject, encodePairs } from "./values.ts";

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
      // `await db.query` asks for `then`.
      if (typeof key === "symbol" || key === "then") return undefined;
      if (!made.has(key)) made.set(key, queryOf(client, queryName(key)));
      return made.get(key);
    },
  });
}

function queryOf({ sender, readerOf, keyOf }: Client, name: string) {
  const call = (
    parameters: object = {},
    options: QueryOptions = {},
    paging: [string, string][] = [],
  ): Call => {
    const isGet = options.method === "GET";
    const pairs = new URLSearchParams([
      ["rows", "array"],
      ...paging,
      ...(isGet ? encodePairs(parameters) : []),
    ]);
    return {
      path: `/v1/queries/${encodeURIComponent(name)}?${pairs}`,
      accept: ndjson,
      signal: options.signal,
      ...(isGet
        ? { method: "GET", repeatable: true }
        : { body: encodeObject(parameters, false), key: keyOf(options) }),
    };
  };
  const ask = (asked: Call): Promise<Headed> =>
    sender.send(asked, async (response, sent) => ({
      result: await collect(response, readerOf, sent),
      headers: response.headers,
    }));

  const query = (parameters?: object, options?: QueryOptions) =>
    ask(call(parameters, options)).then(answerOf);
  return Object.assign(query, {
    maybe: (parameters?: object, options?: QueryOptions) =>
      query(parameters, options).catch((error) => {
        if (error.code !== "row_missing") throw error;
      }),
    result: async (parameters?: object, options?: QueryOptions) =>
      (await ask(call(parameters, options))).result,
    stream: (parameters?: object, options?: QueryOptions) =>
      rowsOf(sender, call(parameters, options), readerOf),
    async page(parameters?: object, { pageSize, cursor, total, ...options }: PageWanted = {}) {
      // JSON has no member that is undefined.
      const paging: object = JSON.parse(JSON.stringify({ page_size: pageSize, cursor, total }));
      const { result, headers } = await ask(call(parameters, options, Object.entries(paging)));
      const count = headers.get("total-count");
      // The cursor of the Link to the next page (RFC 8288).
      const [, next] = /[?&]cursor=([\w-]+)[^>]*>; rel="next"/.exec(`${headers.get("link")}`) ?? [];
      return { rows: result.rows, next, total: count ? Number(count) : undefined };
    },
  });
}

/** The gateway says what its answer is. @throws TidegateError where a proxy has taken that header away */
function answerOf({ result, headers }: Headed): unknown {
  const { rows, columns: _, sets: __, ...exec } = result;
  const answers = { many: rows, one: rows[0], exec: exec satisfies Counts };
  const kind = headers.get("tidegate-result") as keyof typeof answers;
  if (kind in answers) return answers[kind];
  throw ownError("answer_foreign", "The answer is not the gateway's.", 200);
}
