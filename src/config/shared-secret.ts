/** The shared secrets of HS256, which the policy names and the Worker's bindings have. */

export const secretEncodings = ["utf8", "base64", "base64url"] as const;
export type SecretEncoding = (typeof secretEncodings)[number];

/** RFC 4648 §3.5: only one text stands for the same bytes. base64url goes without padding (RFC 7515 §2). */
const forms = {
  base64: "canonical base64 (RFC 4648 §4: letters, digits, + and /, filled up with =)",
  base64url: "canonical base64url (RFC 7515 §2: letters, digits, - and _, without =)",
};

/**
 * @returns the bytes of a secret
 * @throws Error that says, in words after the secret's name, what it must be; it never repeats a part of it
 */
export function decodeSecret(text: string, encoding: SecretEncoding): Uint8Array {
  if (encoding === "utf8") return new TextEncoder().encode(text);
  const bytes = Buffer.from(text, encoding);
  // Buffer's decoder skips what it does not know and takes both alphabets, so compare with its own spelling.
  if (bytes.toString(encoding) !== text)
    throw new Error(`is not ${forms[encoding]}; it may have no white space and no line break`);
  return new Uint8Array(bytes);
}
