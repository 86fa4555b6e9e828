/** What a request says of the trace that it belongs to, and the span that the gateway makes of it. */
export interface Trace {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** The caller's span, 16 hexadecimal digits. */
  parentId: string;
  /** The gateway's own. */
  spanId: string;
  /** Two hexadecimal digits: whether the caller records the trace, and whether its id is random. */
  flags: string;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
/** A version 00 has nothing behind the flags; of later versions what follows is not ours to read (§3.2.4). */
const length00 = 55;
const sampledAndRandom = 0x03;

/**
 * Reads the header traceparent (W3C Trace Context §3.2). Digits only come out of it, so it can write nothing into the log.
 * @param spanId the gateway's own
 * @returns undefined for whatever has another form, which the recommendation has us ignore
 */
export function readTraceparent(header: string, spanId: string): Trace | undefined {
  const [, version, traceId, parentId, flags] = form.exec(header) ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined || flags === undefined)
    return undefined;
  if (version === "ff" || (version === "00" && header.length !== length00)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  const known = Number.parseInt(flags, 16) & sampledAndRandom;
  return { traceId, parentId, spanId, flags: known.toString(16).padStart(2, "0") };
}

/** @returns the gateway's span as the answer tells it, in the version that it speaks */
export function traceparentOf({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/** @returns what the log says, by OpenTelemetry's names */
export function traceFields(trace: Trace | undefined) {
  if (trace === undefined) return {};
  const { traceId, spanId, parentId, flags } = trace;
  return { trace_id: traceId, span_id: spanId, parent_span_id: parentId, trace_flags: flags };
}
