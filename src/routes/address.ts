import { TidegateError } from "../errors.ts";
import { factory } from "./http.ts";

/** RFC 9112 §3.2 and RFC 3986 §3.2.2: a name, or an address in brackets, and a port or none. */
const hostForm = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i;

/** Refuses an address that readers read differently: what is behind here takes it as it is. */
export const addressed = factory.createMiddleware(async (c, next) => {
  demandAddress(c.req.url, c.req.header("host"));
  await next();
});

/**
 * workerd puts together what the client sent: `http://`, then its Host, then its path and query, whatever they are. What a
 * URL's reader makes of percent-encoded bytes that are no UTF-8 is U+FFFD, and of a lone `%` a text.
 * @param host the header, where the protocol has one
 * @throws TidegateError `address_invalid`
 */
export function demandAddress(url: string, host: string | undefined): void {
  if ((host !== undefined && !hostForm.test(host)) || !URL.canParse(url)) {
    throw new TidegateError("address_invalid", {
      detail: "Send one Host: a name or an address, with a port or without.",
    });
  }
  if (!url.includes("%")) return;
  const { pathname, search } = new URL(url);
  try {
    decodeURIComponent(pathname + search);
  } catch {
    throw new TidegateError("address_invalid", {
      detail:
        "The path or the query has a % that does not encode UTF-8. Encode text as UTF-8, and % itself as %25.",
    });
  }
}
