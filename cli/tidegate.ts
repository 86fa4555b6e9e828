/**
 * tidegate COMMAND [OPTIONS] runs every command that a project needs; the npm scripts call it. Those for the
 * development of Tidegate itself are in cli/dev/tidegate.ts.
 */
import module from "node:module";
import type { Entry } from "./command/dispatch.ts";
import { dispatch } from "./command/dispatch.ts";
import { packageVersion } from "./project/paths.ts";

const commands: Record<string, Entry> = {
  init: { summary: "writes a project of your own", load: () => import("./init.ts") },
  start: {
    summary: "starts a database, an issuer, the gateway and an example page, until Ctrl-C",
    load: () => import("./start.ts"),
  },
  token: { summary: "prints a token of the development issuer", load: () => import("./token.ts") },
  connect: {
    summary: "tries a connection string and writes it into a policy",
    load: () => import("./connect.ts"),
  },
  check: { summary: "says everything that is wrong with an environment", load: () => import("./check.ts") },
  accounts: {
    summary: "says what the database's accounts may do, and what of it is too much",
    load: () => import("./accounts.ts"),
  },
  scaffold: {
    summary: "writes saved queries for a table, to be reviewed",
    load: () => import("./scaffold.ts"),
  },
  import: {
    summary: "turns a TiDB Cloud Data App into saved queries",
    load: () => import("./import.ts"),
  },
  generate: {
    summary: "writes the OpenAPI document and the types of the saved queries",
    load: () => import("./generate.ts"),
  },
  explain: { summary: "says which grant decides for a token", load: () => import("./explain.ts") },
  build: {
    summary: "writes what the Worker bundles; wrangler runs it",
    load: () => {
      // wrangler dev runs it after each change: with compiled code it takes half the time.
      module.enableCompileCache();
      return import("./build.ts");
    },
  },
  serve: { summary: "serves an environment with workerd on this machine", load: () => import("./serve.ts") },
  deploy: { summary: "checks an environment, then deploys it", load: () => import("./deploy.ts") },
  drain: {
    summary: "ends a gateway's connections after a change at the database",
    load: () => import("./drain.ts"),
  },
};

await dispatch(
  {
    name: "tidegate",
    description: "A serverless HTTP-to-SQL gateway for MySQL, MariaDB and TiDB.",
    version: packageVersion(),
  },
  commands,
);
