import { TidegateError } from "../errors.ts";

/** RFC 9112 §3.2 and RFC 3986 §3.2.2: a name, or an address in brackets, with or without a port. */
export const hostForm = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i;

/** The same of a parsed address. The parser decodes a host: `%22` is a quote, and would end a quoted text in a header. */
const parsedHostForm = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=-]+)(?::\d*)?$/i;

/**
 * Refuses an ambiguous address, because the routes take the address as it is. workerd builds the URL from the
 * client's input as it came: `http://`, the Host, the path and the query. A parser turns percent-encoded
 * bytes that are not UTF-8 into U+FFFD, and keeps a lone `%` as text.
 * @param host of the request, if the protocol has one
 * @returns the parsed address
 * @throws TidegateError `address_invalid`
 */
export function readAddress(address: string, host: string | undefined): URL {
  const url = URL.parse(address);
  const isGood = url !== null && parsedHostForm.test(url.host);
  if (!isGood || (host !== undefined && !hostForm.test(host))) {
    throw new TidegateError("address_invalid", {
      detail: "Send one Host: a name or an address, with a port or without.",
    });
  }
  if (address.includes("%")) demandUtf8(url.pathname + url.search);
  return url;
}

function demandUtf8(text: string): void {
  try {
    decodeURIComponent(text);
  } catch {
    throw new TidegateError("address_invalid", {
      detail:
        "The path or the query has a % that does not encode UTF-8. Encode text as UTF-8, and % itself as %25.",
    });
  }
}
