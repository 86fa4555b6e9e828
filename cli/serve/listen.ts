import { createServer, isIP } from "node:net";
import { InvalidArgumentError } from "@commander-js/extra-typings";
import ipaddr from "ipaddr.js";
import { Stop } from "../command/errors.ts";

/** Where the gateway listens. */
export interface Listen {
  /** An IP address, IPv6 without brackets. */
  address: string;
  port: number;
}

/** Reads the value of --listen. */
export function listenAddress(text: string): Listen {
  const [, six, four, port = ""] = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = six ?? four ?? "";
  const family = six === undefined ? 4 : 6;
  if (isIP(address) === family && Number(port) <= 65_535) return { address, port: Number(port) };
  throw new InvalidArgumentError(
    "It takes ADDRESS:PORT, for example 127.0.0.1:8787, 0.0.0.0:8787 or [::1]:8787.",
  );
}

/** @returns the form with brackets around IPv6, for URLs and for workerd */
export function show({ address, port }: Listen): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** @returns whether only programs of this machine reach a gateway that listens there */
export function isLoopback({ address }: Listen): boolean {
  return ipaddr.process(address).range() === "loopback";
}

/** @returns where this machine reaches a gateway that listens there: on every address means also on the local one */
export function urlOf({ address, port }: Listen): string {
  const local: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return `http://${show({ address: local[address] ?? address, port })}`;
}

/** Reads the value of --trust-proxy: networks, or single addresses, with commas between them. */
export function proxyNetworks(text: string): string[] {
  return text.split(",").map((part) => {
    const network = networkOf(part.trim());
    if (network !== undefined) return network;
    throw new InvalidArgumentError(
      "It takes addresses or networks in CIDR notation, with commas: 127.0.0.1,10.0.0.0/8,fd00::/8.",
    );
  });
}

function networkOf(word: string): string | undefined {
  const [text = "", bits, ...more] = word.split("/");
  const family = isIP(text);
  // The address of a connection has no zone (fe80::1%eth0).
  if (family === 0 || text.includes("%") || more.length > 0) return undefined;
  const full = `${text}/${bits ?? (family === 4 ? 32 : 128)}`;
  if (!ipaddr.isValidCIDR(full)) return undefined;
  const [address, length] = ipaddr.parseCIDR(full);
  if (!("isIPv4MappedAddress" in address && address.isIPv4MappedAddress())) return full;
  // ::ffff:10.0.0.1 is what some programs write for 10.0.0.1; a connection from there counts as IPv4.
  return length < 96 ? undefined : `${address.toIPv4Address()}/${length - 96}`;
}

/** @throws Stop if nothing can listen there */
export async function demandFree(listen: Listen): Promise<void> {
  const where = show(listen);
  const remedies: Record<string, string> = {
    EADDRINUSE: "another program listens there. End it, or name another port with --listen",
    EACCES: "ports below 1024 need the right CAP_NET_BIND_SERVICE. Name a higher port with --listen",
    EADDRNOTAVAIL: "this machine has no such address. Name one of its own with --listen",
  };
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host: listen.address, port: listen.port, ipv6Only: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
  if (failure === undefined) return;
  throw new Stop(`Cannot listen on ${where}: ${remedies[failure.code ?? ""] ?? failure.message}.`);
}
