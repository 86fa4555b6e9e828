/**
 * Sends a crowd's requests, in a separate process, so that its CPU time is not counted for the servers or
 * the bench.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../lib/http-client.ts";
import type { CrowdAnswer, CrowdResult, CrowdTask, Phase } from "./crowd.ts";
import { outcomeOf } from "./outcome.ts";

/** The pause between two checks of the clock, when no request is due. */
const tickMs = 1;

/**
 * The pause between the first requests of two callers, because real callers do not come at the same moment.
 */
const comingMs = 1;

const now = () => performance.timeOrigin + performance.now();

process.on("message", (task: CrowdTask) => {
  run(task).then(
    (result) => process.send?.(result),
    (cause: unknown) => {
      console.error(cause);
      process.exit(1);
    },
  );
});

async function run(task: CrowdTask): Promise<CrowdResult> {
  const answers: CrowdAnswer[] = [];
  const unanswered = new Set<Promise<unknown>>();
  const phases: CrowdResult["phases"] = [];
  for (const { name, seconds, load } of task.phases) {
    const fromMs = now();
    const toMs = fromMs + seconds * 1000;
    phases.push({ name, fromMs, toMs });
    const send = async (dueMs: number) => {
      const { answer, retryAfterMs } = await sendOne(task, name, dueMs);
      answers.push(answer);
      return retryAfterMs;
    };
    if ("callers" in load) await keepAsking(load.callers, toMs, send);
    else await arrive(load.perSecond, fromMs, toMs, send, unanswered);
  }
  await Promise.all(unanswered);
  const { user, system } = process.cpuUsage();
  return { phases, answers, cpuMs: (user + system) / 1000 };
}

async function sendOne(
  { request, expectedAnswer }: CrowdTask,
  phase: Phase["name"],
  dueMs: number,
): Promise<{ answer: CrowdAnswer; retryAfterMs: number }> {
  const sentMs = now();
  const answer = (outcome: string) => ({ phase, dueMs, sentMs, answeredMs: now(), outcome });
  try {
    const answered = await ask(request);
    const retryAfterMs = Number(answered.retryAfter ?? 0) * 1000;
    return { answer: answer(outcomeOf(answered, expectedAnswer)), retryAfterMs };
  } catch (cause) {
    return { answer: answer(String((cause as NodeJS.ErrnoException).code ?? cause)), retryAfterMs: 0 };
  }
}

/** Each request is sent at its time, whatever the result of the earlier ones. */
async function arrive(
  perSecond: number,
  fromMs: number,
  toMs: number,
  send: (dueMs: number) => Promise<unknown>,
  unanswered: Set<Promise<unknown>>,
): Promise<void> {
  const total = Math.round(((toMs - fromMs) / 1000) * perSecond);
  for (let i = 0; i < total; i++) {
    const dueMs = fromMs + (i * 1000) / perSecond;
    while (now() < dueMs) await sleep(tickMs);
    const sending = send(dueMs).finally(() => unanswered.delete(sending));
    unanswered.add(sending);
  }
  while (now() < toMs) await sleep(tickMs);
}

async function keepAsking(
  callers: number,
  toMs: number,
  send: (dueMs: number) => Promise<number>,
): Promise<void> {
  const caller = async (_: unknown, i: number) => {
    await sleep(i * comingMs);
    while (now() < toMs) {
      const retryAfterMs = await send(now());
      const pauseMs = retryAfterMs * (1 + Math.random());
      if (pauseMs > 0) await sleep(Math.min(pauseMs, Math.max(0, toMs - now())));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
