import type { RowDataPacket } from "mysql2/promise";
import { connectAdministrator } from "../../servers/database/connection.ts";
import type { Backends } from "./backends.ts";
import type { LoadRequest, RequestKind, Series } from "./request.ts";
import { asSeries, sendOnce } from "./request.ts";

/** The requests of the bench: a select and a change of one row, each time of another row. */

/** @returns the path of the point select, a saved query */
export function countryPath(code: string): string {
  return `/v1/queries/country?code=${code}`;
}

/** @returns the primary keys of all countries */
export async function countryCodes({ server }: Backends): Promise<string[]> {
  const administrator = await connectAdministrator(server);
  try {
    const [rows] = await administrator.query<RowDataPacket[]>(
      "SELECT code FROM world.countries ORDER BY code",
    );
    return rows.map(({ code }) => String(code));
  } finally {
    await administrator.end();
  }
}

/**
 * Asks for each country once. Every later answer must be equal to this one. An answer of this size comes in one
 * piece, so that autocannon splits no character.
 * @param url the server's
 * @throws Error if an answer is not the requested country
 */
export async function selectSeries(
  url: string,
  headers: Record<string, string>,
  codes: readonly string[],
): Promise<Series> {
  const requests: LoadRequest[] = [];
  for (const code of codes) {
    const path = countryPath(code);
    const expectedAnswer = await sendOnce(url, { path }, headers);
    const { rows } = JSON.parse(expectedAnswer) as { rows: { code: string }[] };
    if (rows.length !== 1 || rows[0]?.code !== code) {
      throw new Error(`${url}${path} was answered with another country: ${expectedAnswer.slice(0, 500)}`);
    }
    requests.push({ path, expectedAnswer });
  }
  return asSeries(requests);
}

/** About as many rows as the point select has; callers seldom wait for the lock of the same row. */
const noteCount = 256;

/** Makes the rows that `writeSeries` changes. */
export async function prepareNotes({ server }: Backends): Promise<void> {
  const administrator = await connectAdministrator(server);
  try {
    const rows = noteIds().map((id) => [id, 1, "bench", "changed by the bench"]);
    await administrator.query(
      "INSERT INTO world.notes (id, city_id, author, body) VALUES ? ON DUPLICATE KEY UPDATE city_id = 1",
      [rows],
    );
  } finally {
    await administrator.end();
  }
}

/** @returns a change of one row by its primary key, for each of the rows; it changes the row each time that it is sent */
export function writeSeries(): Series {
  const sql = "UPDATE notes SET city_id = city_id + 1 WHERE id = ?";
  return asSeries(
    noteIds().map((id) => ({
      method: "POST",
      path: "/v1/sql",
      requestBody: JSON.stringify({ sql, params: [id] }),
      expectedAnswer: { rows_affected: 1, rows_changed: 1, warnings: [] },
    })),
  );
}

/** @returns nine reads, then a write, and so on until each of the writes is there once */
export function mixedSeries(reads: Series, writes: Series): Series {
  const read = ofKind(reads, "read");
  const nine = (i: number) => Array.from({ length: 9 }, (_, j) => read[(i * 9 + j) % read.length] ?? read[0]);
  return asSeries(ofKind(writes, "write").flatMap((write, i) => [...nine(i), write]));
}

export function ofKind(requests: Series, kind: RequestKind): Series {
  return asSeries(requests.map((request) => ({ ...request, kind })));
}

function noteIds(): number[] {
  return Array.from({ length: noteCount }, (_, i) => i + 1);
}
