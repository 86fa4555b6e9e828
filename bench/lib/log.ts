import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** What the bench reads of a line that the gateway has logged. */
export interface LogLine {
  event: string;
  request_id?: string;
  status?: number;
  token?: "verified" | "remembered";
}

/** @returns the lines of a server's log that are JSON; workerd writes others among them */
export async function* readLog(path: string): AsyncGenerator<LogLine> {
  for await (const line of createInterface({ input: createReadStream(path) })) {
    // The last one may not be whole yet.
    if (line.startsWith("{") && line.endsWith("}")) yield JSON.parse(line) as LogLine;
  }
}
