import type { Host } from "../../../config/schema.ts";
import type { ErrorCode } from "../../../errors.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";

/** What is known of one host. */
interface Knowledge {
  readonly host: Host;
  /** Failures in a row; attempts at the same time are one. */
  failures: number;
  failedAt: number;
  /** Before this it is not tried again, unless there is nothing else and somebody asks. */
  retryAt: number;
  triedAt: number;
  /** When it said that it takes no writes. */
  readOnlyAt: number;
  /** When the latest attempt began that has ended and said nothing about the host. */
  leftAt: number;
  error?: TidegateError;
}

/** A login that was let through to a host. */
export interface Try {
  readonly host: Host;
  readonly startedAt: number;
  /** After how many `forget`. */
  readonly forgotten: number;
}

/**
 * The way to the host did not lead to a login: another host may do. What the server has answered to a login (a wrong
 * password, a wrong identity, too many connections) holds at the others too, and is no reason to go to one.
 */
const hostFailures: ReadonlySet<ErrorCode> = new Set(["database_unreachable", "database_tls_failed"]);

/** @returns whether the next host may be tried after this error */
export function isHostFailure(error: TidegateError): boolean {
  return hostFailures.has(error.code);
}

/**
 * The cluster's hosts in order of preference, and which of them can be reached. No timer runs here: a host that
 * failed is tried again when somebody needs a connection and its time has come.
 */
export class HostFailover {
  readonly #hosts: readonly Knowledge[];
  /** How often everything was forgotten: an attempt from before says nothing any more. */
  #forgotten = 0;

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts.map((host) => ({
      host,
      failures: 0,
      failedAt: Number.NEGATIVE_INFINITY,
      retryAt: Number.NEGATIVE_INFINITY,
      triedAt: Number.NEGATIVE_INFINITY,
      readOnlyAt: Number.NEGATIVE_INFINITY,
      leftAt: Number.NEGATIVE_INFINITY,
    }));
  }

  /**
   * @returns the hosts that may be tried now, the preferred ones first and those last that are read-only; when all of them
   * failed a moment ago none, but for one every few seconds, for whoever asks then
   */
  candidates(now: number): Host[] {
    const due = this.#hosts.filter(
      (known) => known.failures === 0 || (now >= known.retryAt && isLeft(known)),
    );
    const [last, first] = [true, false].map((is) => due.filter((known) => isReadOnly(known, now) === is));
    if (due.length > 0) return [...(first ?? []), ...(last ?? [])].map(({ host }) => host);
    const probe = this.#hosts.find(({ triedAt }) => now >= triedAt + limits.reconnectProbeMs);
    return probe ? [probe.host] : [];
  }

  /** @returns why nobody may try now, with the time after which somebody may */
  refusal(now: number): TidegateError | undefined {
    if (this.candidates(now).length > 0) return undefined;
    const next = Math.min(
      ...this.#hosts.flatMap((known) => [
        known.triedAt + limits.reconnectProbeMs,
        ...(isLeft(known) ? [known.retryAt] : []),
      ]),
    );
    const { error } = this.#hosts.reduce((a, b) => (b.failedAt > a.failedAt ? b : a));
    const retryAfter = Math.max(limits.retryAfterSeconds, Math.ceil((next - now) / 1000));
    return new TidegateError(
      error?.code ?? "database_unreachable",
      { retryAfter },
      `it failed a moment ago: ${error?.operator ?? "unknown"}`,
    );
  }

  begin(host: Host, now: number): Try {
    const known = this.#of(host);
    known.triedAt = now;
    return { host, startedAt: now, forgotten: this.#forgotten };
  }

  /** @returns whether it had failed before */
  succeeded({ host }: Try): boolean {
    const known = this.#of(host);
    const recovered = known.failures > 0;
    known.failures = 0;
    return recovered;
  }

  /** @returns for how long the host is left alone, in milliseconds: not at all after what began before a `forget` */
  failed({ host, startedAt, forgotten }: Try, error: TidegateError, now: number): number {
    if (forgotten !== this.#forgotten) return 0;
    const known = this.#of(host);
    known.error = error;
    // Five logins that fail together have found out one thing.
    if (known.failures > 0 && startedAt <= known.failedAt) return known.retryAt - now;
    known.failures += 1;
    known.failedAt = now;
    known.retryAt = now + backoffMs(known.failures);
    return known.retryAt - now;
  }

  /** The attempt ended with an error that says nothing about the host: the next caller may try it. */
  saidNothing({ host, startedAt }: Try): void {
    const known = this.#of(host);
    known.leftAt = Math.max(known.leftAt, startedAt);
  }

  /** Another connection to a better host would be worth having. */
  isFallback(host: Host): boolean {
    return host !== this.#hosts[0]?.host;
  }

  hasFailed(host: Host): boolean {
    return this.#of(host).failures > 0;
  }

  /** It has said that it takes no writes. @returns whether that is news */
  readOnly(host: Host, now: number): boolean {
    const known = this.#of(host);
    const isNews = !isReadOnly(known, now);
    if (isNews) known.readOnlyAt = now;
    return isNews;
  }

  /** Whatever was found out may have been changed. */
  forget(): void {
    this.#forgotten += 1;
    for (const known of this.#hosts)
      Object.assign(known, { failures: 0, readOnlyAt: Number.NEGATIVE_INFINITY });
  }

  #of(host: Host): Knowledge {
    const known = this.#hosts.find((one) => one.host === host);
    if (!known) throw new TidegateError("internal", {}, "a host that is not the cluster's");
    return known;
  }
}

function isReadOnly({ readOnlyAt }: Knowledge, now: number): boolean {
  return now < readOnlyAt + limits.readOnlyHostMs;
}

/** @returns whether nobody tries it: one login at a time finds out whether a host is back */
function isLeft({ triedAt, failedAt, leftAt }: Knowledge): boolean {
  return triedAt <= failedAt || triedAt <= leftAt;
}

/**
 * "Full jitter": anything between nothing and a bound that doubles, so that shards do not come back all at once
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
function backoffMs(failures: number): number {
  const bound = limits.reconnectBackoffMs * 2 ** (failures - 1);
  return Math.random() * Math.min(bound, limits.reconnectBackoffCeilingMs);
}
