// Runs on mysql only: the committed queries.lock is of MySQL.
import { beforeAll, expect, test } from "vitest";
import { compareWithLock } from "../../../cli/check/locked.ts";
import { readQueryFiles } from "../../../cli/project/application.ts";
import { readLock, writeLock } from "../../../cli/project/lock.ts";
import { check, giveSecrets } from "./database-check.ts";

/**
 * The committed queries.lock has the hash of each file of queries/ and the columns that a real server tells.
 * With TIDEGATE_LOCK=write this test writes it, as `npm run check -- --env development --database` does
 * beside a running `npm start`.
 */
const isRenewing = process.env.TIDEGATE_LOCK === "write";

// The hook's result takes the secrets away again.
beforeAll(giveSecrets);

test("queries.lock is what the server says", async () => {
  const files = readQueryFiles();
  const texts = Object.fromEntries(files.map(({ name, text }) => [name.replace(/\.sql$/, ""), text]));
  const { mistakes, untried, told } = await check(texts, { editor: ["query:*"] });
  expect({ mistakes, untried }).toEqual({ mistakes: [], untried: [] });
  if (told === undefined) throw new Error("no account logged in");
  const { lock, changes, differences } = compareWithLock(files, told, {
    lock: readLock(),
    relock: isRenewing,
  });
  if (isRenewing && lock) writeLock(lock);
  else expect({ changes, differences }).toEqual({ changes: [], differences: [] });
});
