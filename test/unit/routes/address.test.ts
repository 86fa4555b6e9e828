import { describe, expect, test } from "vitest";
import { readAddress } from "../../../src/routes/address.ts";

const refused = expect.objectContaining({ code: "address_invalid" });

describe("a host", () => {
  test.each([
    ["localhost"],
    ["gateway.example:8787"],
    ["127.0.0.1"],
    ["[::1]:8787"],
    ["a_b.example"],
    ["xn--zrich-kva.example"],
    ["a:"],
    // Protocols other than HTTP/1.1 may have no such header.
    [undefined],
  ])("%s", (host) => {
    expect(() => readAddress(`http://${host ?? "a"}/v1/sql`, host)).not.toThrow();
  });

  test.each([
    ..."a b,a/b,a?b,a#b,a@b,a\\b,a\tb,http://a,[::1,::1,a:b,a:99999,%,%zz,a%,a<b,a|b,1.2.3.4.5,:80".split(
      ",",
    ),
    "",
    // Two headers.
    "a, b",
    // The parser decodes them.
    "a%22b",
    "a%22,error=%22x",
    "a%60",
    "a%7b",
  ])("%j is refused", (host) => {
    expect(() => readAddress(`http://${host}/v1/sql`, host)).toThrow(refused);
  });
});

describe("a path and a query", () => {
  test.each([
    "/v1/queries/by-name?name=Z%C3%BCrich",
    "/v1/queries/by-name?name=Zürich",
    "/v1/queries/by-name?name=%25&%F0%9F%98%80=%00+a",
    "/v1/requests/a%2Fb?%2525",
    "/",
  ])("%s", (path) => {
    expect(() => readAddress(`http://a${path}`, "a")).not.toThrow();
  });

  test.each([
    ["another encoding", "?name=Z%FCrich"],
    ["a name in another encoding", "?Z%FCrich=a"],
    ["a part of a character", "?name=%E2%82"],
    ["an overlong one", "?name=%C0%AF"],
    ["a surrogate", "?name=%ED%A0%80"],
    ["beyond Unicode", "?name=%F4%90%80%80"],
    ["no digits", "?name=100%"],
    ["one digit", "?name=%4"],
    ["other letters", "?name=%zz"],
    ["in the path", "/v1/requests/%FC"],
    ["in the path, without digits", "/v1/transactions/%/sql"],
  ])("%s is refused", (_, path) => {
    const url = path.startsWith("?") ? `http://a/v1/queries/q${path}` : `http://a${path}`;
    expect(() => readAddress(url, "a")).toThrow(refused);
  });
});
