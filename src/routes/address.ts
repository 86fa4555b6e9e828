import { TidegateError } from "../errors.ts";
import { factory } from "./http.ts";

/** RFC 9112 §3.2 and RFC 3986 §3.2.2: a name, or an address in brackets, with or without a port. */
const hostForm = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i;

/** Refuses an ambiguous address, because the code behind here takes the address as it is. */
export const addressed = factory.createMiddleware(async (c, next) => {
  demandAddress(c.req.url, c.req.header("host"));
  await next();
});

/**
 * workerd builds the URL from the client's input as it came: `http://`, the Host, the path and the query. A
 * parser turns percent-encoded bytes that are not UTF-8 into U+FFFD, and keeps a lone `%` as text.
 * @param host the Host header, if the protocol has one
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
