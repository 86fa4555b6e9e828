import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AuthPlugin } from "../../../../../src/config/schema.ts";
import { authPlugins } from "../../../../../src/config/schema.ts";
import type { BuiltIn } from "../../../../../src/db/mysql/auth-plugins/authentication.ts";
import {
  Authentication,
  PluginRefusedError,
} from "../../../../../src/db/mysql/auth-plugins/authentication.ts";
import { publicKeyOf, signNonce } from "../../../../../src/db/mysql/auth-plugins/ed25519.ts";

const password = "hunter2";
const scramble = Buffer.from("12345678901234567890");

/** Replace the driver's methods. Each returns its name and its arguments. */
const builtIn: BuiltIn = {
  caching_sha2_password: (given) => (data) => Buffer.from(`sha2 ${given} ${data}`),
  mysql_native_password: (given) => (data) => Buffer.from(`native ${given} ${data}`),
};

function authentication(plugin?: AuthPlugin, cleartext = false): Authentication {
  return new Authentication({ password, plugin, cleartext }, builtIn);
}

describe("begins", () => {
  test.each([
    ["with the greeting's method", undefined, "caching_sha2_password", `sha2 ${password} ${scramble}`],
    [
      "with the greeting's older method",
      undefined,
      "mysql_native_password",
      `native ${password} ${scramble}`,
    ],
    [
      "with the account's method",
      "mysql_native_password",
      "caching_sha2_password",
      `native ${password} ${scramble}`,
    ],
    [
      "with the account's, when the greeting's is unknown",
      "caching_sha2_password",
      "dialog",
      `sha2 ${password} ${scramble}`,
    ],
    [
      "with the password, as sha256 does inside TLS",
      "sha256_password",
      "caching_sha2_password",
      `${password}\0`,
    ],
    ["with nothing, when the nonce is still to come", "client_ed25519", "mysql_native_password", ""],
  ] as const)("%s", (_, plugin, greeted, response) => {
    const begun = authentication(plugin).begin(greeted, scramble);
    expect(begun.plugin).toBe(plugin ?? greeted);
    expect(begun.response.toString()).toBe(response);
  });

  test.each([
    ["auth_socket", "auth_socket"],
    [undefined, "mysql_old_password"],
    ["", "mysql_old_password"],
    ["<script>\n", "with a name that cannot be shown"],
    ["x".repeat(65), "with a name that cannot be shown"],
  ])("not with %j", (greeted, shown) => {
    const begin = () => authentication().begin(greeted, scramble);
    expect(begin).toThrow(PluginRefusedError);
    expect(begin).toThrow(
      `plugin ${shown}, which is not supported; supported are ${authPlugins.join(", ")}; where the user has one of them, name it as the account's plugin`,
    );
  });

  test("not with the clear-text password, although the greeting asks for it", () => {
    expect(() => authentication().begin("mysql_clear_password", scramble)).toThrow("cleartext = true");
    const { response } = authentication(undefined, true).begin("mysql_clear_password", scramble);
    expect(response.toString()).toBe(`${password}\0`);
  });
});

describe("changes the method", () => {
  test.each(authPlugins.filter((name) => name !== "mysql_clear_password"))("to %s", (name) => {
    expect(authentication().switchTo(name)(Buffer.alloc(33, 7))?.length).toBeGreaterThan(0);
  });

  test("to the clear-text password, only if the account allows it", () => {
    expect(() => authentication().switchTo("mysql_clear_password")).toThrow("cleartext = true");
    expect(authentication(undefined, true).switchTo("mysql_clear_password")(scramble)?.toString()).toBe(
      `${password}\0`,
    );
  });

  test("once, not again", () => {
    const talk = authentication();
    talk.switchTo("caching_sha2_password");
    expect(() => talk.switchTo("mysql_native_password")).toThrow("after it had asked for another already");
  });

  test.each([
    "mysql_old_password",
    "dialog",
    "auth_gssapi_client",
    "authentication_kerberos_client",
    "authentication_ldap_sasl_client",
    "authentication_webauthn_client",
    "authentication_windows_client",
    "parsec",
    "toString",
    "__proto__",
    "hasOwnProperty",
  ])("never to %s", (name) => {
    expect(() => authentication(undefined, true).switchTo(name)).toThrow(PluginRefusedError);
  });

  test.each([
    [
      "tidb_sm3_password",
      "the server asks for the authentication plugin tidb_sm3_password, which is not supported; let the user log in with caching_sha2_password, mysql_native_password or tidb_auth_token",
    ],
    [
      "parsec",
      "the server asks for the authentication plugin parsec, which is not supported; let the user log in with ed25519 or mysql_native_password",
    ],
    [
      "mysql_clear_password",
      "the server asks for the authentication plugin mysql_clear_password, which the account does not allow (cleartext = true); PAM and LDAP need it; a user of TiDB's tidb_auth_token needs a token instead of a password",
    ],
  ])("never to %s, with an alternative in the message", (name, sentence) => {
    expect(() => authentication().switchTo(name)).toThrow(sentence);
  });

  test("to no other method, whatever its name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        fc.pre(!(authPlugins as readonly string[]).includes(name));
        expect(() => authentication(undefined, true).switchTo(name)).toThrow(PluginRefusedError);
      }),
    );
  });
});

test.each(["sha256_password", "mysql_clear_password", "client_ed25519"] as const)(
  "%s answers once; a server that asks again is refused",
  (name) => {
    const respond = authentication(undefined, true).switchTo(name);
    respond(Buffer.alloc(32));
    expect(() => respond(Buffer.alloc(32))).toThrow("the server asked again");
  },
);

describe("client_ed25519", () => {
  test("derives the public key that MariaDB's documentation shows for a password", () => {
    const kept = Buffer.from(publicKeyOf("secret")).toString("base64").replace(/=$/, "");
    expect(kept).toBe("ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY");
  });

  test("is plain Ed25519 if the password has the length of a key", () => {
    const key = "0123456789abcdef0123456789abcdef";
    const nonce = Buffer.alloc(32, 7);
    expect(signNonce(key, nonce)).toEqual(Buffer.from(ed25519.sign(nonce, Buffer.from(key))));
  });

  test("gives signatures that a library verifies, for every password and nonce", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (text, nonce) => {
          expect(ed25519.verify(signNonce(text, nonce), nonce, publicKeyOf(text))).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });
});
