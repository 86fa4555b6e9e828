import { InvalidArgumentError } from "@commander-js/extra-typings";

/** Reads the value of an option that is a gateway's address. A token is sent there, so http is for this machine only. */
export function gatewayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = ["127.0.0.1", "localhost", "[::1]"].includes(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback)) return url;
  throw new InvalidArgumentError(
    "It must be https://… (http:// only for this machine): the token goes there.",
  );
}
