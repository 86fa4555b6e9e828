import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../application.ts";
import type { Begin, End, IdempotencyRecord } from "./record.ts";
import { begin, end } from "./record.ts";

const stored = "record";

/**
 * The Durable Object that stores how one caller's requests with one key ended, from all Workers. Everything
 * is on disk, so a restart loses nothing. The platform holds back an answer until all earlier writes are on
 * disk, so a Worker never runs a request whose beginning could be lost. The object ends with its record.
 */
export class Idempotency extends DurableObject<Bindings> {
  override async fetch(request: Request): Promise<Response> {
    const question = await request.json<Begin | End>();
    return Response.json(question.ask === "begin" ? await this.#begin(question) : await this.#end(question));
  }

  override async alarm({ scheduledTime }: AlarmInvocationInfo): Promise<void> {
    const { kv } = this.ctx.storage;
    const kept = kv.get<IdempotencyRecord>(stored);
    // A request between the record's end and this alarm may have begun a new record. That record stays.
    if (kept && kept.expiresAt > scheduledTime) await this.ctx.storage.setAlarm(kept.expiresAt);
    else await this.ctx.storage.deleteAll();
  }

  async #begin(question: Begin) {
    const { kv } = this.ctx.storage;
    const { verdict, record } = begin(kv.get<IdempotencyRecord>(stored), question, Date.now());
    if (record) {
      kv.put(stored, record);
      await this.ctx.storage.setAlarm(record.expiresAt);
    }
    return verdict;
  }

  async #end(question: End) {
    const { kv } = this.ctx.storage;
    const record = end(kv.get<IdempotencyRecord>(stored), question);
    if (record) kv.put(stored, record);
    else if (record === null) await this.ctx.storage.deleteAll();
    return { ended: record !== undefined };
  }
}
