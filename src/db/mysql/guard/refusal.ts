import type { Head } from "./packet-scanner.ts";
import { readInteger } from "./packet-scanner.ts";

/** An error of the server's, as far as it is there. */
export interface Refusal {
  errno: number;
  /** Cut, or empty, where the packet came in pieces. */
  message: string;
}

/** @returns what an ERR_Packet says: the mark, the number, a '#' with the SQLSTATE, the message */
export function readRefusal({ bytes, at, length }: Head): Refusal {
  const stated = bytes[at + 3] === "#".charCodeAt(0) ? 9 : 3;
  const message = bytes.subarray(at + stated, at + length);
  return { errno: readInteger(bytes, at + 1, 2), message: Buffer.from(message).toString("utf8") };
}
