/** The trace that a request belongs to, and the gateway's span in it. */
export interface Trace {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** The caller's span, 16 hexadecimal digits. */
  parentId: string;
  /** The gateway's span, 16 hexadecimal digits. */
  spanId: string;
  /** Two hexadecimal digits: whether the caller records the trace, and whether the trace id is random. */
  flags: string;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
/** In version 00 nothing follows the flags. In later versions the rest is ignored (§3.2.4). */
const length00 = 55;
const sampledAndRandom = 0x03;

/**
 * Reads the header traceparent (W3C Trace Context §3.2). The result contains only hexadecimal digits, so it
 * cannot inject text into the log.
 * @param spanId the gateway's span
 * @returns undefined for any other form, which the recommendation says to ignore
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

/** @returns the header with the gateway's span, in version 00 */
export function traceparentOf({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/** @returns the log's fields, by OpenTelemetry's names */
export function traceFields(trace: Trace | undefined) {
  if (trace === undefined) return {};
  const { traceId, spanId, parentId, flags } = trace;
  return { trace_id: traceId, span_id: spanId, parent_span_id: parentId, trace_flags: flags };
}
