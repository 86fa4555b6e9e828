/**
 * Prometheus' text exposition format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Pure.
 */

export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** A histogram: `counts` has one number for each of `bounds`, and a last number for all values above them. */
export interface HistogramData {
  /** Upper bounds in ascending order. A value that equals a bound counts below it. */
  bounds: readonly number[];
  counts: readonly number[];
  sum: number;
}

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number | HistogramData;
}

/** Samples of one name. */
export interface Family {
  name: string;
  help: string;
  type: "gauge" | "counter" | "histogram";
  samples: readonly Sample[];
}

/** @returns the text of all families that have a sample */
export function expose(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join("");
}

function familyText({ name, help, type, samples }: Family): string {
  const lines = samples.flatMap(({ labels, value }) =>
    typeof value === "number" ? [line(name, labels, value)] : histogramLines(name, labels, value),
  );
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`;
}

/** Prometheus wants cumulative buckets: each bucket also counts the values of all lower buckets. */
function histogramLines(name: string, labels: Sample["labels"], { bounds, counts, sum }: HistogramData) {
  let total = 0;
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, i) => {
    total += counts[i] ?? 0;
    return line(`${name}_bucket`, { ...labels, le: number(bound) }, total);
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, total)];
}

function line(name: string, labels: Sample["labels"], value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${number(value)}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Formats a number so that Go's parser can read it, because Prometheus is written in Go. */
function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
