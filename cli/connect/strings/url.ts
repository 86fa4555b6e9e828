import { readAnyAddress } from "./address.ts";
import type { Draft } from "./draft.ts";
import { applySettings } from "./settings.ts";
import { text } from "./value.ts";

/** Whole URLs: reads the address, and judges the settings after it. */

/** Reads a URL, JDBC's and R2DBC's too, or PDO's DSN. */
export function readUrlInto(draft: Draft, url: string): void {
  applySettings(draft, readAnyAddress(draft, url));
}

/** Reads Java code: the URL is a string literal in it, and the call has the user and password after it. */
export function readJavaInto(draft: Draft, code: string): void {
  const literal = '"((?:[^"\\\\]|\\\\.)*)"';
  const call = new RegExp(
    `"(jdbc:(?:[^"\\\\]|\\\\.)*)"(?:\\s*,\\s*${literal}\\s*,\\s*${literal})?(\\s*\\+)?`,
  );
  const [, url = "", user, password, isJoined] = call.exec(code) ?? [];
  const plain = (written: string) => written.replace(/\\(.)/g, "$1");
  if (isJoined !== undefined) {
    draft.refuseAll("The URL is put together by the program: give the URL itself.");
    return;
  }
  readUrlInto(draft, plain(url));
  if (user !== undefined) draft.set("user", text(plain(user)));
  if (password !== undefined) draft.set("password", text(plain(password)));
}
