import type { IPv4, IPv6 } from "ipaddr.js";
import ipaddr from "ipaddr.js";
import { TidegateError } from "../errors.ts";
import { hostForm } from "../routes/address.ts";
import type { Arrival, ReadArrival } from "../routes/context.ts";

/** Where a request comes from on plain workerd, where callers can write every header themselves. */

type Address = IPv4 | IPv6;
type Network = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * Believes X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host of the named proxies, and no header of others.
 * Nothing reads the headers that Cloudflare would set, or Forwarded (RFC 7239).
 * @param proxies their networks in CIDR notation
 * @returns a reader that throws `address_invalid` for a proxy's header that is not one clear value
 */
export function arrivalBehind(proxies: readonly string[]): ReadArrival {
  const networks = proxies.map((text) => ipaddr.parseCIDR(text));
  return (c) => {
    const peer = peerOf(c.request);
    if (peer === undefined || !isIn(networks, peer)) {
      return { url: c.address, host: c.header("host"), client: peer?.toString() };
    }
    return forwarded(c, peer, networks);
  };
}

function forwarded(c: Parameters<ReadArrival>[0], peer: Address, networks: readonly Network[]): Arrival {
  const client = clientOf(c.header("x-forwarded-for"), peer, networks).toString();
  const scheme = schemeOf(c.header("x-forwarded-proto"));
  const forwardedHost = hostOf(c.header("x-forwarded-host"));
  const url = c.address;
  const host = c.header("host");
  if (scheme === undefined && forwardedHost === undefined) return { url, host, client };
  const pathStarts = url.indexOf("/", "http://".length);
  const address = `${scheme ?? "http"}://${forwardedHost ?? url.slice("http://".length, pathStarts)}`;
  return { url: address + url.slice(pathStarts), host: forwardedHost ?? host, client };
}

/** workerd writes the other end of the socket as 192.0.2.1:54321 or [2001:db8::1]:54321. */
function peerOf({ cf }: Request): Address | undefined {
  const peer = (cf as { clientIp?: unknown } | undefined)?.clientIp;
  return typeof peer === "string" ? readAddress(peer) : undefined;
}

/**
 * Walks the hops from the nearest to the farthest, until one is not a named proxy. Hops beyond that one are what a
 * client wrote, and are not looked at.
 */
function clientOf(hops: string | undefined, peer: Address, networks: readonly Network[]): Address {
  let client = peer;
  for (const hop of hops?.split(",").reverse() ?? []) {
    const address = readAddress(hop.trim());
    if (address === undefined) {
      throw refusal("X-Forwarded-For has a hop that is not an IP address", "append each client's IP address");
    }
    client = address;
    if (!isIn(networks, address)) break;
  }
  return client;
}

function schemeOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const scheme = value.trim().toLowerCase();
  if (scheme === "http" || scheme === "https") return scheme;
  throw refusal("X-Forwarded-Proto is not one of http and https", "set it, and not append to it");
}

function hostOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const host = value.trim();
  // A comma would be the sign of several hosts.
  if (hostForm.test(host) && !host.includes(",")) return host;
  throw refusal("X-Forwarded-Host is not one host", "set it to the client's Host, and not append to it");
}

function refusal(what: string, remedy: string): TidegateError {
  return new TidegateError("address_invalid", { detail: `${what}. The proxy must ${remedy}.` });
}

/** @returns an address, with a port or without, with an IPv4 address in IPv6 as IPv4; undefined if it is none */
function readAddress(text: string): Address | undefined {
  const bare = text.replace(/^\[(.*)\](?::\d{1,5})?$/, "$1").replace(/^(\d+(?:\.\d+){3}):\d{1,5}$/, "$1");
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare);
  return isAddress ? ipaddr.process(bare) : undefined;
}

function isIn(networks: readonly Network[], address: Address): boolean {
  return networks.some(([range, bits]) => {
    if (range.kind() !== address.kind()) return false;
    return (address as IPv4).match(range as IPv4, bits);
  });
}
