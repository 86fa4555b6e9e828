import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errPacket, frame } from "../../../../../servers/wire/packets.ts";
import {
  binaryRow,
  column,
  connected,
  eof,
  execute,
  prepare,
  reply,
  selected,
} from "./guarded-connection.ts";

/** Rows that pass the driver by. */

const described = reply(Buffer.from([1]), column(), eof());
const row = (n: number, value = `${n}`) => frame((n + 4) & 0xff, binaryRow(value));
const rows = (count: number, from = 0) =>
  Buffer.concat(Array.from({ length: count }, (_, n) => row(from + n)));

/** An execution whose definitions have come, and what was taken since then. `accepts` says whether to take. */
function executing(accepts: () => boolean = () => true, most = Number.POSITIVE_INFINITY) {
  const connection = connected();
  connection.wire.write(prepare("SELECT n"));
  connection.says(selected);
  connection.wire.write(execute(1));
  connection.says(described);
  const before = connection.heard.length;
  const all: Buffer[] = [];
  const taken: Buffer[] = [];
  connection.wire.on("data", (bytes: Buffer) => all.push(Buffer.from(bytes)));
  const take = (packets: Buffer) => {
    if (!accepts()) return 0;
    const some = packets.subarray(0, most);
    taken.push(Buffer.from(some));
    all.push(Buffer.from(some));
    return some.length;
  };
  connection.wire.takeRows(take);
  return {
    ...connection,
    /** What the driver has got. */
    driver: () => connection.heard.subarray(before),
    taken: () => Buffer.concat(taken),
    /** All that was passed on, in order. */
    passed: () => Buffer.concat(all),
    pieces: taken,
  };
}

describe("the rows of an execution", () => {
  test("go to their reader, in whole packets, and what ends them to the driver", () => {
    const { says, driver, taken, pieces } = executing();
    const bytes = rows(3);
    says(bytes.subarray(0, 11), bytes.subarray(11), frame(7, eof()));
    expect(taken()).toEqual(bytes);
    expect(pieces.map(({ length }) => length)).toEqual([8, 8, 8]);
    expect(driver()).toEqual(frame(7, eof()));
  });

  test("of a chunk that ends the result go to the driver with it, the row that was cut too", () => {
    const { says, driver, taken } = executing();
    const bytes = rows(3);
    const end = frame(7, errPacket(1317, "interrupted"));
    says(bytes.subarray(0, 9), Buffer.concat([bytes.subarray(9), end]));
    expect(taken()).toEqual(bytes.subarray(0, 8));
    expect(driver()).toEqual(Buffer.concat([bytes.subarray(8), end]));
  });

  test("that their reader refuses go to the driver", () => {
    let accepts = false;
    const { says, driver, taken } = executing(() => accepts);
    says(rows(1));
    accepts = true;
    says(rows(1, 1));
    expect([driver(), taken()]).toEqual([rows(1), rows(1, 1)]);
  });

  test("that their reader leaves go to the driver", () => {
    const { says, driver, taken } = executing(undefined, 8);
    says(rows(3));
    expect([taken(), driver()]).toEqual([rows(1), rows(2, 1)]);
  });

  test("are not taken from a chunk with a wrong packet", () => {
    for (const wrong of [row(9), frame(6, Buffer.from("\x01x")), frame(6, Buffer.alloc(0))]) {
      const { says, server, passed } = executing();
      says(Buffer.concat([rows(2), wrong]));
      expect(server.destroyed).toBeDefined();
      expect(passed()).toHaveLength(0);
      says(rows(1));
      expect(passed()).toHaveLength(0);
    }
  });

  test("of another execution are not taken by the reader of an earlier one", () => {
    const { says, wire, driver, taken } = executing();
    const answer = Buffer.concat([described, rows(2)]);
    wire.write(execute(1));
    says(Buffer.concat([frame(4, eof()), answer]), rows(1, 2), frame(7, eof()));
    expect(taken()).toHaveLength(0);
    expect(driver()).toEqual(Buffer.concat([frame(4, eof()), answer, rows(1, 2), frame(7, eof())]));
  });

  test("are passed on once and in order, to the driver or to a reader of rows, in pieces of any size", () => {
    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.boolean()), { maxLength: 80 });
    const lengths = fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 30 });
    fc.assert(
      fc.property(cuts, lengths, (pieces, sizes) => {
        let accepts = true;
        const { says, passed, wire, server } = executing(() => accepts);
        const bytes = Buffer.concat([
          ...sizes.map((size, n) => row(n, "x".repeat(size))),
          frame((sizes.length + 4) & 0xff, eof()),
        ]);
        let at = 0;
        for (const [size, next] of pieces) {
          accepts = next;
          if (at < bytes.length) says(bytes.subarray(at, at + size));
          at += size;
        }
        if (at < bytes.length) says(bytes.subarray(at));
        expect(server.destroyed).toBeUndefined();
        expect(wire.isResting).toBe(true);
        expect(passed()).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });
});

test("what the driver gets stays when the link uses its buffer again", () => {
  const { wire, server } = connected();
  wire.write(prepare("SELECT n"));
  const heard: Buffer[] = [];
  wire.on("data", (bytes: Buffer) => heard.push(bytes));
  const chunk = Buffer.from(selected);
  server.emit("data", chunk);
  chunk.fill(0);
  expect(Buffer.concat(heard)).toEqual(selected);
});
