import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** The fields of a gateway's log line that the bench reads. */
export interface LogLine {
  event: string;
  request_id?: string;
  status?: number;
  token?: "verified" | "remembered";
}

/** @returns the JSON lines of a server's log; workerd writes other lines among them */
export async function* readLog(path: string): AsyncGenerator<LogLine> {
  for await (const line of createInterface({ input: createReadStream(path) })) {
    // The last line may not be complete yet.
    if (line.startsWith("{") && line.endsWith("}")) yield JSON.parse(line) as LogLine;
  }
}
