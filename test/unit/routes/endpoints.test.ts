import { describe, expect, test } from "vitest";
import type { Endpoint } from "../../../src/routes/endpoints.ts";
import { allowOf, createRouter, pathOf } from "../../../src/routes/endpoints.ts";

const handler = () => new Response() as unknown as ReturnType<NonNullable<Endpoint["methods"]["GET"]>>;
const list: Endpoint = { path: "/v1/things", methods: { POST: handler } };
const one: Endpoint = { path: "/v1/things/:name", methods: { GET: handler, DELETE: handler } };
const part: Endpoint = { path: "/v1/things/:id/part", methods: { POST: handler } };
const route = createRouter([list, one, part]);

describe("a path and a method find", () => {
  test.each<[string, string, Endpoint, string, boolean]>([
    ["POST", "/v1/things", list, "", true],
    ["GET", "/v1/things", list, "", false],
    ["GET", "/v1/things/a", one, "a", true],
    ["HEAD", "/v1/things/a", one, "a", true],
    ["PUT", "/v1/things/a", one, "a", false],
    ["toString", "/v1/things/a", one, "a", false],
    ["DELETE", "/v1/things/a%2Fb", one, "a/b", true],
    ["POST", "/v1/things/a/part", part, "a", true],
  ])("%s %s", (method, path, endpoint, param, served) => {
    const found = route(method, path);
    expect(found?.endpoint).toBe(endpoint);
    expect(found?.param).toBe(param);
    expect(found?.handler !== undefined).toBe(served);
  });

  test.each(["/", "/v1", "/v1/things/", "/v1/things//part", "/v1/things/a/b", "/V1/things", "/__proto__"])(
    "nothing for %s",
    (path) => {
      expect(route("POST", path)).toBeUndefined();
    },
  );
});

test("Allow has HEAD where there is GET", () => {
  expect(allowOf(one)).toBe("GET, HEAD, DELETE");
  expect(allowOf(list)).toBe("POST");
});

test.each([
  ["http://a/", "/"],
  ["http://a/b?c#d", "/b"],
  ["http://a/b#d?c", "/b"],
  ["http://a/%62/%C3%BC?%63", "/b/ü"],
  ["http://a/b%2Fc%25", "/b%2Fc%25"],
])("the path of %s", (address, path) => {
  expect(pathOf(address)).toBe(path);
});
