import { expect, test, vi } from "vitest";
import type { Bindings } from "../../../../../src/application.ts";
import { Pool } from "../../../../../src/db/pool/object/pool.ts";

vi.mock("cloudflare:workers", () => ({ DurableObject: class {} }));
vi.mock("../../../../../src/application.ts", () => ({ configOf: vi.fn() }));
vi.mock("../../../../../src/db/pool/object/shard.ts", () => ({ Shard: class {} }));

const torn = () =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error("s3cret")) });

test.each([
  ["that is cut", '{"version":10,"values":["s3cret"'],
  ["that is no object", "null"],
  ["that is cut, as a stream", new Blob(['{"values":["s3cret"']).stream()],
  ["whose stream breaks", torn()],
])("a message %s is answered as another version, and is not quoted", async (_, message) => {
  const pool = new Pool({} as DurableObjectState, {} as Bindings);
  const answer = await pool.run(message as Parameters<Pool["run"]>[0]);
  expect(answer).toMatchObject({ error: { code: "version_mismatch", details: { retryAfter: 1 } } });
  expect(JSON.stringify(answer)).not.toContain("s3cret");
});
