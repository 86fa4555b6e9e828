import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway } from "./gateway.mjs";

let gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway?.stop());

test("hello greets by name", async () => {
  const response = await fetch(`${gateway.url}/v1/queries/hello?name=Ada`, {
    headers: { authorization: `Bearer ${gateway.tokens.analyst}` },
  });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).greeting, "Hello, Ada!");
});

test("hello refuses a caller without a token", async () => {
  const response = await fetch(`${gateway.url}/v1/queries/hello?name=Ada`);
  assert.equal(response.status, 401);
});
