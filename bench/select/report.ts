import type { KeysReport } from "../keys/report.ts";
import { formatKeys } from "../keys/report.ts";
import type { Ratio } from "../lib/figures.ts";
import { ratioLine, ratioOf, table } from "../lib/figures.ts";
import type { Versions } from "../lib/machine.ts";
import { machineLine } from "../lib/machine.ts";
import type { Sample } from "../lib/measure.ts";
import type { TargetReport } from "../lib/summary.ts";
import { aboveColumns, cells, columns, targetReport } from "../lib/summary.ts";
import type { BareExecuteReport } from "./bare-execute-report.ts";
import { formatBareExecute } from "./bare-execute-report.ts";
import type { RoundTrips } from "./round-trips.ts";
import type { TokenCacheReport } from "./token-cache.ts";
import { formatTokenCache } from "./token-cache.ts";
import type { VariantName } from "./variants.ts";
import { variantNames } from "./variants.ts";

/** The whole result, as in .tidegate/bench/latest.json; bench/README.md describes it. */
export interface Report {
  version: 4;
  startedAt: string;
  durationSeconds: number;
  quick: boolean;
  machine: { cores: number; loadAverageBefore: number; otherCores: number | null };
  versions: Versions;
  /** The first request of each kind, and the number of different ones. */
  requests: Record<"select" | "write", { example: string; different: number }>;
  schedule: { rounds: number; roundSeconds: number; warmUpSeconds: number };
  load: LoadReport[];
  bareExecute: BareExecuteReport;
  roundTrips: RoundTrips;
  tokenCache: TokenCacheReport;
  keys: KeysReport;
}

/** The variants under one number of client connections. */
export interface LoadReport {
  connections: number;
  /** Without the toolbox if it was not measured. */
  variants: Partial<Record<VariantName, TargetReport>>;
  /** One variant's requests per second divided by another one's, of the same round. */
  ratios: Partial<Record<RatioName, Ratio>>;
}

/** The name of a ratio, the variant on the left, the variant on the right. */
const compared = [
  ["gateway/hop", "gateway", "hop"],
  ["gateway/connect", "gateway", "connect"],
  ["gateway/nodeRestoring", "gateway", "nodeRestoring"],
  ["gateway/node", "gateway", "node"],
  ["gateway/toolbox", "gateway", "toolbox"],
  ["rustls/gateway", "rustls", "gateway"],
  ["write/gateway", "write", "gateway"],
] as const satisfies [`${VariantName}/${VariantName}`, VariantName, VariantName][];
type RatioName = (typeof compared)[number][0];

const labels: Record<VariantName, string> = {
  gateway: "gateway",
  rustls: "gateway, link rustls",
  write: "gateway, write",
  hop: "Durable Object hop only",
  connect: "connection per request",
  node: "Node, without a reset",
  nodeRestoring: "Node, resets and proves",
  toolbox: "MCP Toolbox",
};

export function summarize(samples: Sample<VariantName>[]): LoadReport[] {
  const connections = [...new Set(samples.map((sample) => sample.connections))];
  return connections.map((count) => {
    const here = samples.filter((sample) => sample.connections === count);
    const of = (name: VariantName) => here.filter(({ target }) => target === name);
    const measured = variantNames.filter((name) => of(name).length > 0);
    const variants = measured.map((name) => [name, targetReport(of(name))]);
    // Each target has one sample per round, in the order of the rounds.
    const rates = (name: VariantName) => of(name).map(({ requestsPerSecond }) => requestsPerSecond);
    const pairs = compared.filter(([, ours, theirs]) => measured.includes(ours) && measured.includes(theirs));
    const ratios = pairs.map(([name, ours, theirs]) => [name, ratioOf(rates(ours), rates(theirs))]);
    return {
      connections: count,
      variants: Object.fromEntries(variants) as LoadReport["variants"],
      ratios: Object.fromEntries(ratios) as LoadReport["ratios"],
    };
  });
}

/** The report as text for a terminal. */
export function format(report: Report): string {
  const { machine, versions, schedule, requests } = report;
  const request = ({ example, different }: Report["requests"]["select"]) => `${example} (${different} keys)`;
  return [
    `select by primary key: ${request(requests.select)}`,
    `write by primary key: ${request(requests.write)}`,
    machineLine(versions, machine, machine.otherCores),
    `medians of ${schedule.rounds} rounds of ${schedule.roundSeconds} s`,
    ...report.load.flatMap(formatLoad),
    ...formatBareExecute(report.bareExecute),
    ...formatTrips(report.roundTrips),
    ...formatTokenCache(report.tokenCache),
    ...formatKeys(report.keys),
  ].join("\n");
}

function formatLoad({ connections, variants, ratios }: LoadReport): string[] {
  const header = [`${connections} connections`, ...columns];
  const rows = variantNames.flatMap((name) => {
    const report = variants[name];
    return report ? [[labels[name], ...cells(report)]] : [];
  });
  const ratioRows = compared.flatMap(([name, ours, theirs]) => {
    const ratio = ratios[name];
    return ratio ? [ratioLine(`${labels[ours]} / ${labels[theirs]}`, ratio)] : [];
  });
  return ["", aboveColumns, ...table([header, ...rows]), ...ratioRows];
}

function formatTrips({ cold, hot, coldWrite, hotWrite, connect }: RoundTrips): string[] {
  const counted = {
    "cold statement": cold,
    "hot statement": hot,
    "cold write": coldWrite,
    "hot write": hotWrite,
  };
  const rows = Object.entries(counted).map(([label, { answer, restore }]) => [
    label,
    String(answer.roundTrips),
    String(restore.roundTrips),
  ]);
  const detail = (label: string, commands: string[]) => `  ${label}: ${commands.join(" | ")}`;
  const login = `${connect.login} + ${connect.commands.roundTrips}`;
  return [
    "",
    ...table([
      ["database round trips", "for answer", "restore"],
      ...rows,
      ["connection per request", login, "-"],
    ]),
    detail("hot", hot.answer.commands),
    detail("hot write", hotWrite.answer.commands),
    detail("restore", hot.restore.commands),
    detail("restore with a hot write", hotWrite.restore.commands),
    detail("connection per request, after the login", connect.commands.commands),
  ];
}
