import type { QueryFile } from "../../src/catalog/parse.ts";
import { slug } from "../scaffold/names.ts";
import type { DataApp, Endpoint } from "./data-app.ts";
import { queryOf, sqlPath, unfit } from "./endpoint.ts";
import type { Remark } from "./parameters.ts";

/** All endpoints of a Data App, and the report. Pure. */

export interface Imported {
  files: QueryFile[];
  /** One paragraph for each endpoint, in their order, and the counts. */
  report: string[];
  /** Whether everything of the Data App has its counterpart. */
  complete: boolean;
}

export interface Wanted {
  /** The cluster's database. */
  database: string;
  /** The one whose endpoints are carried over; undefined: the first one. */
  cluster: string | undefined;
  /** @returns the text of a file of the Data App; undefined if there is none */
  read(path: string): string | undefined;
}

/** @returns the saved queries of an app, none of them written yet */
export function importApp(app: DataApp, { database, cluster: asked, read }: Wanted): Imported {
  const { endpoints } = app;
  const ids = [
    ...new Set([...app.clusters, ...endpoints.flatMap((one) => one.data_source.cluster_id ?? [])]),
  ];
  const cluster = asked ?? ids[0];
  const names = namesOf(endpoints);
  const files: QueryFile[] = [];
  const report: string[] = [];
  let [remarked, not] = [0, 0];
  let complete = true;
  for (const [index, endpoint] of endpoints.entries()) {
    const was = `${endpoint.method} ${endpoint.endpoint}`;
    const refuse = (reasons: readonly string[]) => {
      report.push(`NOT carried over: ${was}`, ...reasons.map((reason) => `  - ${reason}`));
      not += 1;
    };
    const own = endpoint.data_source.cluster_id;
    const sql = unfit(endpoint) === undefined ? read(sqlPath(endpoint)) : undefined;
    const reason =
      unfit(endpoint) ??
      (own !== undefined && own !== cluster
        ? `its cluster is ${own}, and one gateway has one cluster: take --cluster ${own} in that gateway's project`
        : undefined);
    if (reason !== undefined) refuse([reason]);
    else if (sql === undefined) refuse([`${sqlPath(endpoint)}: there is no such file in the Data App`]);
    else {
      const name = names[index] ?? "";
      const outcome = queryOf(endpoint, sql, { name, app: app.name || "without a name", database });
      if ("reasons" in outcome) refuse(outcome.reasons);
      else {
        files.push(outcome.file);
        const method = outcome.writes ? "POST" : "GET or POST";
        report.push(`queries/${outcome.file.name}: ${was} is now ${method} /v1/queries/${name}`);
        report.push(...outcome.remarks.map(line));
        if (outcome.remarks.length > 0) remarked += 1;
        if (outcome.remarks.some(({ lost }) => lost)) complete = false;
      }
    }
  }
  report.push("", `${files.length} carried over, ${remarked} of them with remarks; ${not} not`);
  return { files, report, complete: complete && not === 0 };
}

function line({ text, lost }: Remark): string {
  return `  - ${lost ? "not carried over: " : ""}${text}`;
}

/** @returns a name for each endpoint: its path, and its method where several endpoints have that path */
function namesOf(endpoints: readonly Endpoint[]): string[] {
  const base = ({ endpoint }: Endpoint) => slug(endpoint.replaceAll(/[{}:]/g, "")) || "endpoint";
  const paths = endpoints.map(base);
  const taken = new Set<string>();
  return endpoints.map((endpoint, index) => {
    const path = paths[index] ?? "";
    const shared = paths.filter((other) => other === path).length > 1;
    const name = shared ? `${path}-${slug(endpoint.method)}` : path;
    let found = name;
    for (let count = 2; taken.has(found); count++) found = `${name}-${count}`;
    taken.add(found);
    return found;
  });
}
