import type { Head } from "./packet-scanner.ts";
import { readInteger } from "./packet-scanner.ts";

/** An error of the server, as far as its bytes are there. */
export interface Refusal {
  errno: number;
  /** Cut or empty if the packet came in pieces. */
  message: string;
}

/** @returns the content of an ERR_Packet: the mark, the number, a '#' with the SQLSTATE, the message */
export function readRefusal({ bytes, at, length }: Head): Refusal {
  const stated = bytes[at + 3] === "#".charCodeAt(0) ? 9 : 3;
  const message = bytes.subarray(at + stated, at + length);
  return { errno: readInteger(bytes, at + 1, 2), message: Buffer.from(message).toString("utf8") };
}
