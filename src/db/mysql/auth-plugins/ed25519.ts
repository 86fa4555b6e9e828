import { createHash } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";

const { Point } = ed25519;
/** Numbers modulo the order of the base point. */
const { Fn } = Point;

/**
 * MariaDB's client_ed25519: signs the server's nonce with Ed25519 (RFC 8032 §5.1.6). The key is the password
 * itself. Libraries accept only private keys of 32 bytes, and a password has any length, so the steps of the
 * RFC are here. The curve, its arithmetic and the hash come from libraries.
 * @param nonce the server's 32 bytes
 * @returns the signature, 64 bytes
 */
export function signNonce(password: string, nonce: Uint8Array): Buffer {
  const { scalar, prefix, publicKey } = keyOf(password);
  const r = reduced(sha512(prefix, nonce));
  const point = Point.BASE.multiply(r).toBytes();
  const k = reduced(sha512(point, publicKey, nonce));
  return Buffer.concat([point, Fn.toBytes(Fn.add(r, Fn.mul(k, scalar)))]);
}

/** @returns the public key that the server keeps in its user table, there in base64 without padding */
export function publicKeyOf(password: string): Uint8Array {
  return keyOf(password).publicKey;
}

/** RFC 8032 §5.1.5, with the password as the private key. */
function keyOf(password: string) {
  const hash = sha512(Buffer.from(password, "utf8"));
  const half = Buffer.from(hash.subarray(0, 32));
  half.writeUInt8(half.readUInt8(0) & 0xf8, 0);
  half.writeUInt8((half.readUInt8(31) & 0x7f) | 0x40, 31);
  const scalar = reduced(half);
  return { scalar, prefix: hash.subarray(32), publicKey: Point.BASE.multiply(scalar).toBytes() };
}

function reduced(bytes: Uint8Array): bigint {
  return Fn.create(bytesToNumberLE(bytes));
}

function sha512(...parts: Uint8Array[]): Buffer {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
