import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "../support/harness.ts";
import { read, startGateway } from "../support/harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

async function send(method: string, path: string, body?: unknown, claims: Record<string, unknown> = {}) {
  const authorization = `Bearer ${await gateway.token(claims)}`;
  const headers =
    body === undefined ? { authorization } : { authorization, "content-type": "application/json" };
  return await read(
    await gateway.fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}

describe("saved queries", () => {
  test("GET takes parameters from the query string, defaults included", async () => {
    const { status, body } = await send("GET", "/v1/queries/cities-by-country?country=NZ");
    expect(status).toBe(200);
    expect(body.rows[0]).toMatchObject({ name: "Auckland", country: "New Zealand" });
    expect(body.rows.length).toBeLessThanOrEqual(10);
  });

  test("POST takes them from a JSON object", async () => {
    const { body } = await send("POST", "/v1/queries/cities-by-country", { country: "JP", limit: 2 });
    expect(body.rows.map((row: { name: string }) => row.name)).toEqual(["Tokyo", "Yokohama"]);
  });

  test("a parameter in the query string of a POST is refused: it would be ignored", async () => {
    const { status, body } = await send("POST", "/v1/queries/cities-by-country?limit=1&a%2Fb=2&cursor=A", {
      country: "JP",
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "parameter_invalid", reason: "surplus_parameter" });
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(["/limit", "/a~1b", "/cursor"]);
  });

  test("without parameters no body is needed", async () => {
    const { body } = await send("POST", "/v1/queries/regions?rows=array");
    expect(body.rows.map((row: unknown[]) => row[0])).toContain("Oceania");
  });

  test("the token's subject is bound by the gateway, so a caller sees its own notes only", async () => {
    const { rows } = (await send("GET", "/v1/queries/cities-by-country?country=NZ&limit=1")).body;
    const city_id = rows[0].id as number;
    for (const sub of ["ann", "bob"]) {
      const added = await send(
        "POST",
        "/v1/queries/add-note",
        { city_id, body: `of ${sub}` },
        { role: "editor", sub },
      );
      expect(added.body.rows_affected).toBe(1);
    }
    const own = await send("GET", "/v1/queries/my-notes", undefined, { sub: "ann" });
    expect(own.body.rows.map((row: { body: string }) => row.body)).toEqual(["of ann"]);
    const forged = await send("POST", "/v1/queries/my-notes", { "jwt.sub": "bob" }, { sub: "ann" });
    expect(forged.body).toMatchObject({
      status: 400,
      code: "parameter_invalid",
      reason: "surplus_parameter",
    });
    const nobody = await send("GET", "/v1/queries/my-notes", undefined, { sub: undefined });
    expect(nobody.body).toMatchObject({ status: 403, code: "access_denied", reason: "missing_claim" });
    await gateway.sql({ sql: "DELETE FROM notes WHERE author IN ('ann', 'bob')" }, { role: "editor" });
  });
});

describe("health", () => {
  test("/livez and /readyz answer anybody", async () => {
    for (const [path, status] of [
      ["/livez", "live"],
      ["/readyz", "ready"],
    ] as const) {
      const answer = await read(await gateway.fetch(path));
      expect(answer).toMatchObject({ status: 200, body: { status } });
    }
  });
});
