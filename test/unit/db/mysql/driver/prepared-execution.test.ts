import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frame } from "../../../../../servers/wire/packets.ts";
import { createEncoder } from "../../../../../src/db/encode/create-encoder.ts";
import type { Format } from "../../../../../src/db/encode/formats.ts";
import type { Encoder, RowShape } from "../../../../../src/db/encode/types.ts";
import { valuesOf } from "../../../../../src/db/encode/values.ts";
import type { Answer } from "../../../../../src/db/mysql/driver/answer.ts";
import type { Connection } from "../../../../../src/db/mysql/driver/driver.ts";
import type { Field } from "../../../../../src/db/mysql/driver/field.ts";
import { PreparedExecution } from "../../../../../src/db/mysql/driver/prepared-execution.ts";
import { ProtocolGuard } from "../../../../../src/db/mysql/guard/protocol-guard.ts";
import type { RecordedWire } from "../guard/recorded-wire.ts";
import { loggedIn } from "../guard/recorded-wire.ts";
import type { Defined } from "./binary-wire.ts";
import { definition, length, result, results, row } from "./binary-wire.ts";
import { mysql2Row } from "./mysql2-oracle.ts";
import { textColumns } from "./text-columns.ts";

/** What an execution's answer was. `error` is that of an answer that cannot be read. */
interface Told {
  fields: (readonly Field[])[];
  changed: boolean[];
  rows: unknown[][];
  ended: boolean;
  error: string | undefined;
}

/** Executes on a connection whose server gives this answer in pieces of so many bytes. */
function run(
  { wire, connection, guard }: { wire: RecordedWire; connection: Connection; guard?: ProtocolGuard },
  answer: Buffer,
  { piece = answer.length, memory = textColumns(), encoders = [] as Encoder[] } = {},
): Told {
  const told: Told = { fields: [], changed: [], rows: [], ended: false, error: undefined };
  const answered: Answer = {
    columns(fields, changed) {
      told.fields.push(fields);
      told.changed.push(changed);
      for (const encoder of encoders) encoder.columns(fields);
    },
    rows: (take) => guard?.takeRows(take),
    row(one) {
      told.rows.push(valuesOf(told.fields.at(-1) ?? [], one));
      for (const encoder of encoders) encoder.row(one);
    },
    values: () => expect.fail("a row of the text protocol"),
    rowsEnd: () => {},
    ok: () => {},
    failed: ({ message }) => {
      told.error = message;
    },
    ended: () => {
      told.ended = true;
    },
  };
  const running = new PreparedExecution(connection, { id: 1, values: [], memory });
  running.listen(answered);
  connection.addCommand(running);
  wire.say(answer, piece);
  return told;
}

/** @returns a connection whose guard lets rows pass the driver by, if it is `guarded` */
async function open(guarded = false) {
  if (!guarded) return await loggedIn();
  const guards: ProtocolGuard[] = [];
  const opened = await loggedIn("mysql", (wire) => {
    const guard = new ProtocolGuard(wire);
    guards.push(guard);
    return guard;
  });
  return { ...opened, guard: guards[0] as ProtocolGuard };
}

const formats = (["json", "ndjson", "csv"] as Format[]).flatMap((format) =>
  (["object", "array"] as RowShape[]).map((shape) => [format, shape] as const),
);

const makeEncoders = () => formats.map(([format, shape]) => createEncoder(format, shape, false));
const textOf = (encoder: Encoder) => Buffer.from(encoder.take()).toString("latin1");

describe("rows of any types", () => {
  test.each([
    ["from the driver", false],
    ["from the guard, past the driver", true],
  ])("become the bytes that mysql2's values become, however the answer is cut: %s", async (_, guarded) => {
    const server = await open(guarded);
    await fc.assert(
      fc.asyncProperty(results, fc.integer({ min: 1, max: 400 }), async ({ columns, rows }, piece) => {
        const [encoders, expected] = [makeEncoders(), makeEncoders()];
        const told = run(server, result(columns, rows), { piece, encoders });
        expect(told).toMatchObject({ ended: true, error: undefined, changed: [false] });
        const fields = told.fields[0] ?? [];
        const values = rows.map((payload) => mysql2Row(fields, payload));
        for (const [i, encoder] of encoders.entries()) {
          const oracle = expected[i] as Encoder;
          oracle.columns(fields);
          for (const each of values) oracle.values(each);
          expect(textOf(encoder)).toBe(textOf(oracle));
        }
        expect(told.rows).toEqual(values.map((each) => each.map(plain)));
      }),
      { numRuns: 1_000 },
    );
  });

  test("are read in the character set of their column, and so are the columns' names", async () => {
    const columns = [8, 51, 33].map((characterSet) => defined({ characterSet, name: "n" }));
    const texts = ["e4", "e4", "c3a4"].map((hex) => Buffer.from(`0${hex.length / 2}${hex}`, "hex"));
    const told = run(await loggedIn(), result(columns, [row(texts)]));
    expect(told.rows).toEqual([["ä", "д", "ä"]]);
    const named = Buffer.from(
      result(columns, []).toString("latin1").replaceAll("\x01n", "\x01\xe4"),
      "latin1",
    );
    const names = run(await loggedIn(), named).fields[0]?.map(({ name }) => name);
    expect(names?.slice(0, 2)).toEqual(["ä", "д"]);
  });

  test("have a fraction of six digits where the column has none", async () => {
    const columns = [0x07, 0x0c].map((type) => defined({ type }));
    const date = Buffer.from("0be907021c0a0b0c05000000", "hex");
    const told = run(await loggedIn(), result(columns, [row([date, date])]));
    expect(told.rows).toEqual([["2025-02-28 10:11:12.000005", "2025-02-28 10:11:12.000005"]]);
  });

  test("have times of up to 255 days, as TiDB has them", async () => {
    const time = Buffer.from([8, 1, 255, 0, 0, 0, 4, 40, 5]);
    const told = run(await loggedIn(), result([defined({ type: 0x0b })], [row([time])]));
    expect(told).toMatchObject({ rows: [["-6124:40:05"]], error: undefined });
  });

  test.each([false, true])("are the same, cut at each byte (past the driver: %s)", async (guarded) => {
    const columns = [defined({ type: 0x03 }), defined({ type: 0xfd }), defined({ type: 0x0c, decimals: 6 })];
    const date = Buffer.from("0be907021c0a0b0c01000000", "hex");
    const rows = [
      row([Buffer.of(1, 2, 3, 4), Buffer.from('\x03é"', "utf8").fill(4, 0, 1).fill(3, 0, 1), date]),
      row([null, Buffer.concat([length(300), Buffer.alloc(300, "y")]), null]),
    ];
    const answer = result(columns, rows);
    const server = await open(guarded);
    const whole = run(server, answer).rows;
    expect(whole).toHaveLength(2);
    for (let at = 1; at < answer.length; at++) {
      const told = run(server, answer, { piece: at });
      expect(told).toMatchObject({ ended: true, rows: whole });
    }
  });
});

/** mysql2 writes a fraction of a time without the zeros at its end, and the gateway writes them. */
function plain(value: unknown): unknown {
  if (typeof value === "string" && /^-?\d+[:-]\d\d[:-]\d\d/.test(value)) return expect.any(String);
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

function defined(more: Partial<Defined> = {}): Defined {
  return { name: "v", type: 0xfd, flags: 0, characterSet: 255, decimals: 0, ...more };
}

test("a row that pauses the connection is the last one until the connection goes on, for the driver and for a reader of rows", async () => {
  const columns = [defined({ type: 0x03 })];
  const integer = (n: number) => row([Buffer.of(n, 0, 0, 0)]);
  const answer = result(columns, [1, 2, 3, 4, 5].map(integer));
  for (const guarded of [false, true]) {
    for (let piece = 1; piece <= answer.length; piece++) {
      const server = await open(guarded);
      const rows: unknown[] = [];
      const running = new PreparedExecution(server.connection, {
        id: 1,
        values: [],
        memory: textColumns(),
      });
      let ended = false;
      const fail = (cause: unknown) => expect.fail(String(cause));
      running.listen({
        columns: () => {},
        rows: (take) => (server as { guard?: ProtocolGuard }).guard?.takeRows(take),
        row: ({ bytes, starts }) => {
          rows.push(bytes[starts[0] ?? 0]);
          server.connection.pause();
        },
        ...{ values: fail, rowsEnd: () => {}, ok: fail, failed: fail },
        ended: () => {
          ended = true;
        },
      });
      server.connection.addCommand(running);
      server.wire.say(answer, piece);
      for (let read = 1; read <= 5; read++) {
        expect(rows).toEqual([1, 2, 3, 4, 5].slice(0, read));
        expect(ended).toBe(false);
        server.connection.resume();
      }
      expect(ended).toBe(true);
    }
  }
});

describe("a row that does not fit its columns", () => {
  const text = (value: string) => Buffer.concat([length(value.length), Buffer.from(value)]);
  const [one, eight] = [[defined()], Array.from({ length: 8 }, () => defined())];
  const integer = [defined({ type: 0x03 })];
  const time = [defined({ type: 0x0b })];
  const date = [defined({ type: 0x0c })];
  test.each<[string, Defined[], Buffer]>([
    ["a text beyond the end", one, row([Buffer.from("\x04abc")])],
    ["a long text beyond the end", one, row([Buffer.from([0xfc, 0xff, 0xff, 0x61])])],
    ["a length that is cut off", one, row([Buffer.from([0xfd, 1, 0])])],
    ["a length of 64 bits", one, row([Buffer.from([0xfe, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x61])])],
    ["a length that turns to 1 in 32 bits", one, row([Buffer.from([0xfe, 1, 0, 0, 0, 1, 0, 0, 0, 0x61])])],
    ["the mark of NULL of the text protocol", one, row([Buffer.from([0xfb])])],
    ["no length", one, row([Buffer.from([0xff, 0x61])])],
    ["no value", one, row([Buffer.alloc(0)])],
    ["a byte too many", one, row([text("a"), Buffer.of(0)])],
    ["an integer that is cut off", integer, row([Buffer.of(1, 2, 3)])],
    ["an integer of too many bytes", integer, row([Buffer.of(1, 2, 3, 4, 5)])],
    ["a value of a column that is NULL", one, Buffer.concat([row([null]), text("a")])],
    ["no bitmap", one, Buffer.of(0)],
    ["a bitmap that is too short", eight, row([null])],
    ["a time of 9 bytes", time, row([Buffer.concat([Buffer.of(9), Buffer.alloc(9)])])],
    ["a time of 256 days", time, row([Buffer.from([8, 0, 0, 1, 0, 0, 0, 0, 0])])],
    ["a date of 5 bytes", date, row([Buffer.concat([Buffer.of(5), Buffer.alloc(5)])])],
    ["a date of 12 bytes", date, row([Buffer.concat([Buffer.of(12), Buffer.alloc(12)])])],
    ["a second of a million microseconds", date, row([Buffer.from("0be907021c0a0b0c40420f00", "hex")])],
  ])("fails the answer: %s", async (_, columns, bad) => {
    const good = row(columns.map(() => null));
    const answer = result(columns, [good, bad, good]);
    for (const guarded of [false, true]) {
      for (const piece of [answer.length, 7, 1]) {
        const told = run(await open(guarded), answer, { piece });
        expect(told).toMatchObject({ ended: false, error: expect.stringMatching(/row|value|time|second/) });
        expect(told.rows).toHaveLength(1);
      }
    }
  });

  test("whatever bytes it has, is refused or read to its end, and never beyond", async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((all) => Buffer.from([0, ...all]));
    await fc.assert(
      fc.asyncProperty(results, bytes, fc.boolean(), async ({ columns }, bad, guarded) => {
        const answer = result(columns, [bad]);
        const told = run(await open(guarded), answer, { piece: guarded ? 9 : answer.length });
        if (told.error === undefined) expect(told).toMatchObject({ ended: true, rows: [expect.any(Array)] });
        else expect(told).toMatchObject({ ended: false, rows: [] });
        // mysql2 reads what is not refused, and its reader ends where the packet ends.
        if (told.error === undefined)
          expect(mysql2Row(told.fields[0] ?? [], bad)).toHaveLength(columns.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe("column definitions", () => {
  const columns = [defined({ name: "a" }), defined({ name: "b", type: 0x03 })];
  const rows = [row([Buffer.from("\x01x"), Buffer.of(1, 0, 0, 0)])];
  const answer = result(columns, rows);

  test("that are the same give the same array, and no other ones", async () => {
    const server = await loggedIn();
    const memory = textColumns();
    const told = [answer, answer].map((each) => run(server, each, { memory }));
    expect(told.map(({ changed }) => changed)).toEqual([[false], [false]]);
    expect(told[1]?.fields[0]).toBe(told[0]?.fields[0]);
    expect(told.map((each) => each.rows)).toEqual([[["x", 1]], [["x", 1]]]);
    expect(run(server, answer).fields[0]).not.toBe(told[0]?.fields[0]);
  });

  test("that differ in any byte are told, and are the known ones from then on", async () => {
    const server = await loggedIn();
    const payloads = columns.map(definition);
    const differing = payloads.flatMap((payload, at) =>
      Array.from(payload, (_, byte) => {
        const changed = Buffer.from(payload);
        // Lengths stay: the fixed part, and the letters of the texts.
        changed[byte] = (changed[byte] ?? 0) ^ 0x40;
        return { at, byte, changed };
      }),
    );
    let compared = 0;
    for (const { at, changed } of differing) {
      const memory = textColumns();
      run(server, answer, { memory });
      const other = Buffer.from(answer);
      other.set(changed, 4 + 1 + 4 + (at > 0 ? (payloads[0]?.length ?? 0) + 4 : 0));
      const fresh = await loggedIn();
      const told = run(fresh, other, { memory });
      if (told.changed.length === 0) continue;
      compared += 1;
      expect(told.changed).toEqual([true]);
    }
    expect(compared).toBeGreaterThan(30);
    const memory = textColumns();
    const fewer = result(columns.slice(0, 1), []);
    const told = [answer, fewer, fewer, answer, answer].map((each) => run(server, each, { memory }).changed);
    expect(told).toEqual([[false], [true], [false], [true], [false]]);
  });

  test("that are the same bytes in other packets are not the same", async () => {
    const memory = textColumns();
    const server = await loggedIn();
    run(server, answer, { memory });
    const [first, second] = columns.map(definition) as [Buffer, Buffer];
    const whole = Buffer.concat([first, second]);
    const packets = [length(2), whole.subarray(0, first.length + 1), whole.subarray(first.length + 1)];
    const told = run(server, Buffer.concat(packets.map((payload, i) => frame(i + 1, payload))), { memory });
    expect(told).toMatchObject({ fields: [], error: expect.any(String) });
  });

  test("that are too long to be kept are told as changed each time", async () => {
    const server = await loggedIn();
    const memory = textColumns();
    const long = result([defined({ name: "n".repeat(40_000) })], []);
    expect([long, long].map((each) => run(server, each, { memory }).changed)).toEqual([[true], [true]]);
  });

  test.each<[string, Buffer]>([
    ["a name beyond the end", Buffer.from("\x03def\x00\x00\x00\xf0aaaaaaaaaaaaaaaaaaaa", "latin1")],
    ["without its end", definition(defined()).subarray(0, -4)],
  ])("of another form fail the answer: %s", async (_, bad) => {
    const { wire, connection } = await loggedIn();
    const packets = [Buffer.of(1), bad];
    const bytes = packets.map((payload, i) =>
      Buffer.concat([Buffer.of(payload.length, 0, 0, i + 1), payload]),
    );
    expect(run({ wire, connection }, Buffer.concat(bytes)).error).toMatch(/beyond the packet/);
  });
});
