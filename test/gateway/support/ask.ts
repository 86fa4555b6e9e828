import { expect } from "vitest";
import type { Answer, Gateway } from "./harness.ts";
import { read } from "./harness.ts";

/** Runs a saved query that every account may use. Only the caller matters. */
export async function ask(gateway: Gateway, token: string): Promise<Answer> {
  return await read(
    await gateway.fetch("/v1/queries/regions", { headers: { authorization: `Bearer ${token}` } }),
  );
}

/** @returns the log lines of one event, in the order in which they were written */
export function logged(gateway: Gateway, event: string): Record<string, unknown>[] {
  return gateway
    .logs()
    .filter(({ message }) => message.includes(`"event":"${event}"`))
    .map(({ message }) => JSON.parse(message));
}

/** The answer's own log line, which is written after the answer has begun. */
export async function lineOf(gateway: Gateway, answer: Answer): Promise<Record<string, unknown> | undefined> {
  const id = answer.headers.get("x-request-id");
  const line = () => logged(gateway, "request").find(({ request_id }) => request_id === id);
  await expect.poll(line).toBeDefined();
  return line();
}
