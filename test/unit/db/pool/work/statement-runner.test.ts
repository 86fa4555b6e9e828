import { expect, test } from "vitest";
import type { ResponseBody } from "../../../../../src/db/answer/response-body.ts";
import { mariadb } from "../../../../../src/db/mysql/engines/mariadb.ts";
import type { Session } from "../../../../../src/db/mysql/session/session.ts";
import type { StatementResult } from "../../../../../src/db/mysql/session/statement-result.ts";
import type { ExecuteWork } from "../../../../../src/db/pool/messages/protocol.ts";
import type { CancellableStatement } from "../../../../../src/db/pool/work/cancellable-statement.ts";
import { runnerOf } from "../../../../../src/db/pool/work/statement-runner.ts";

const outcome: StatementResult = {
  ...{ rowsAffected: 1, rowsChanged: null, lastInsertId: null, info: null },
  ...{ serverStatus: 2, columnsChanged: false },
  ...{ warningCount: 0, warnings: [], conversion: "none", revocable: true },
  ...{ serverStatus: 2, columnsChanged: false },
};

/** A runner of a change that may have to be rolled back, and the calls on its session, in order. */
function runnerOfChange(settle: () => boolean) {
  const asked: string[] = [];
  const note = (word: string) => () => void asked.push(word);
  const session = { run: async () => outcome, pause: note("pause"), resume: note("resume") };
  const running = { settle, why: new Error("stopped"), goOn: () => {} };
  const runner = runnerOf(
    session as unknown as Session,
    running as unknown as CancellableStatement<Session>,
    mariadb,
    async () => {
      note("commit")();
      runner.pause();
    },
  );
  return { asked, runner };
}

const change = {} as ExecuteWork;
const body = {} as ResponseBody;

test("a slow reader of a change's rows does not delay the answer to its COMMIT", async () => {
  const { asked, runner } = runnerOfChange(() => true);
  runner.pause();
  await runner.run(change, body);
  expect(asked).toEqual(["pause", "resume", "commit"]);
});

test("a change that was stopped before its COMMIT is not committed", async () => {
  const { asked, runner } = runnerOfChange(() => false);
  await expect(runner.run(change, body)).rejects.toThrow("stopped");
  expect(asked).toEqual([]);
});
