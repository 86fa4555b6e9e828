import type { Host } from "../../../config/schema.ts";
import type { ErrorCode } from "../../../errors.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";

/** The state of one host. */
interface Knowledge {
  readonly host: Host;
  /** Failures in a row. Failures of simultaneous attempts count once. */
  failures: number;
  failedAt: number;
  /** The host is not tried before this time, except as a probe if all hosts have failed. */
  retryAt: number;
  triedAt: number;
  /** When the host said that it is read-only. */
  readOnlyAt: number;
  /** The start of the latest attempt that ended without news about the host. */
  leftAt: number;
  error?: TidegateError;
}

/** A login attempt on a host. */
export interface Try {
  readonly host: Host;
  readonly startedAt: number;
  /** How many calls of `forget` came before the attempt. */
  readonly forgotten: number;
}

/**
 * Errors on the way to a login: another host may work. Answers to a login (wrong password, wrong identity,
 * too many connections) are the same on the other hosts, so they are no reason to try one.
 */
const hostFailures: ReadonlySet<ErrorCode> = new Set(["database_unreachable", "database_tls_failed"]);

/** @returns whether the next host may be tried after this error */
export function isHostFailure(error: TidegateError): boolean {
  return hostFailures.has(error.code);
}

/**
 * The cluster's hosts in order of preference, and which of them can be reached. No timer runs here: a failed
 * host is tried again when a request needs a connection and `retryAt` has passed.
 */
export class HostFailover {
  readonly #hosts: readonly Knowledge[];
  /**
   * How many calls of `forget` there were. An attempt from before the last one says nothing about the host
   * now.
   */
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
   * @returns the hosts to try now: the preferred ones first, read-only ones last. If all hosts have just
   *   failed, the list is empty, except for one probe every few seconds
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

  /** @returns the error if no host may be tried now, with the time until the next attempt */
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

  /** @returns whether the host had failed before */
  succeeded({ host }: Try): boolean {
    const known = this.#of(host);
    const recovered = known.failures > 0;
    known.failures = 0;
    return recovered;
  }

  /** @returns how long the host is avoided, in milliseconds; 0 if the attempt began before a `forget` */
  failed({ host, startedAt, forgotten }: Try, error: TidegateError, now: number): number {
    if (forgotten !== this.#forgotten) return 0;
    const known = this.#of(host);
    known.error = error;
    // Several logins that fail together are one failure of the host.
    if (known.failures > 0 && startedAt <= known.failedAt) return known.retryAt - now;
    known.failures += 1;
    known.failedAt = now;
    known.retryAt = now + backoffMs(known.failures);
    return known.retryAt - now;
  }

  /** The attempt ended with an error that says nothing about the host. The next caller may try it. */
  saidNothing({ host, startedAt }: Try): void {
    const known = this.#of(host);
    known.leftAt = Math.max(known.leftAt, startedAt);
  }

  /** Whether the host is not the preferred one. */
  isFallback(host: Host): boolean {
    return host !== this.#hosts[0]?.host;
  }

  hasFailed(host: Host): boolean {
    return this.#of(host).failures > 0;
  }

  /** Records that the host is read-only. @returns whether this is news */
  readOnly(host: Host, now: number): boolean {
    const known = this.#of(host);
    const isNews = !isReadOnly(known, now);
    if (isNews) known.readOnlyAt = now;
    return isNews;
  }

  /** Forgets failures and read-only states: they may have changed. */
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

/** @returns whether no attempt is in progress. Only one login at a time tests a failed host */
function isLeft({ triedAt, failedAt, leftAt }: Knowledge): boolean {
  return triedAt <= failedAt || triedAt <= leftAt;
}

/**
 * "Full jitter": a random time below a bound that doubles, so that shards do not return all at once
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
function backoffMs(failures: number): number {
  const bound = limits.reconnectBackoffMs * 2 ** (failures - 1);
  return Math.random() * Math.min(bound, limits.reconnectBackoffCeilingMs);
}
