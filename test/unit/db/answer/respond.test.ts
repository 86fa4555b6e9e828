import { afterEach, expect, test, vi } from "vitest";
import { answer } from "../../../../src/db/answer/respond.ts";
import type { Runner } from "../../../../src/db/answer/runner.ts";
import type { ExecuteRequest } from "../../../../src/db/contract/requests.ts";
import { dialectOf } from "../../../../src/db/mysql/engines/dialect-of.ts";
import { ProtocolGuard } from "../../../../src/db/mysql/guard/protocol-guard.ts";
import { Executor } from "../../../../src/db/mysql/session/executor.ts";
import { WarnedStatements } from "../../../../src/db/mysql/session/warned-statements.ts";
import { asTidegateError } from "../../../../src/errors.ts";
import { limits } from "../../../../src/limits.ts";
import type { BoundValue } from "../../../../src/sql/bound-value.ts";
import { platformTimers } from "../../../../src/timers.ts";
import { binaryRow, column, prepared, reply, text } from "../mysql/guard/guarded-connection.ts";
import { loggedIn } from "../mysql/guard/recorded-wire.ts";

afterEach(() => void vi.useRealTimers());

const end = (warnings = 0) => Buffer.from([0xfe, warnings, 0, 2, 0]);
const warning = ["Warning", "1292", "Truncated incorrect DECIMAL value: '7x'"];

/** The server's answers to PREPARE, to EXECUTE, and to SHOW WARNINGS. */
const [announced, rows, warnings] = [
  reply(prepared(1, 1, 1), column("?"), end(), column(), end()),
  reply(Buffer.of(1), column(), end(), binaryRow("7"), end(1)),
  reply(
    Buffer.of(3),
    ...["Level", "Code", "Message"].map(column),
    end(),
    Buffer.concat(warning.map(text)),
    end(),
  ),
];

test("a read whose warnings refuse it is refused whole, however late they come", async () => {
  const guards: ProtocolGuard[] = [];
  const { wire, connection } = await loggedIn("mysql", (plain) => {
    const guard = new ProtocolGuard(plain);
    guards.push(guard);
    return guard;
  });
  vi.useFakeTimers();
  // This dialect has the values' types before PREPARE's answer.
  const dialect = dialectOf({ engine: "mariadb" });
  const executor = new Executor(connection, guards[0] as ProtocolGuard, dialect, new WarnedStatements());
  const runner: Runner = {
    timers: platformTimers,
    pause: () => {},
    resume: () => {},
    stop: () => expect.fail("the statement was stopped"),
    explain: asTidegateError,
    async run(request, sink) {
      const values = request.values as readonly BoundValue[];
      const progress = { sending: () => {}, ended: () => {} };
      return await (await executor.run({ ...request, values }, sink, progress, [])).hear();
    },
  };
  const request = {
    ...{ caller: "c", author: "caller", atomic: true, returning: false, writable: false, bounded: true },
    ...{ sql: "SELECT n FROM t WHERE n = ?", values: [{ type: "string", value: "7x", undeclared: true }] },
    ...{ lenient: "read", format: "json", shape: "object" },
    ceilings: { deadlineMs: 1_000, bytes: 1_000_000 },
  } as const satisfies Partial<ExecuteRequest>;
  const answered = answer(runner, request as unknown as ExecuteRequest, "id", () => {}).catch(
    (cause: unknown) => cause,
  );
  for (const each of [announced, rows, warnings]) {
    await vi.advanceTimersByTimeAsync(limits.flushMs * 10);
    wire.say(each);
  }
  expect(await answered).toMatchObject({
    code: "parameter_invalid",
    details: { reason: "compared_with_number" },
  });
});
