import { parse } from "smol-toml";
import type { TokenCredential } from "../../src/config/config.ts";
import type { Found } from "./check.ts";
import { hostText } from "./strings/draft.ts";
import type { ConnectionString } from "./strings/parse.ts";
import { tokenTable } from "./token.ts";
import type { Edited, Keys } from "./toml.ts";
import { editToml } from "./toml.ts";
import type { Who } from "./who.ts";

/** What a tested connection makes of an environment in the text of tidegate.toml. Pure. */

/** The environment and the account that are written. */
export interface Target {
  env: string;
  account: string;
}

/** The parts of an environment that stay, as far as they are tables. */
export interface PolicyParts {
  accounts: Record<string, Keys>;
  issuers: Keys[];
  grants: Keys[];
  /** The parts of a template, which go; none where the environment is the user's own. */
  template: string[];
}

/** The values to write. */
export interface Result {
  connection: ConnectionString;
  database: string;
  /** PEM; undefined for the public CAs */
  ca: string | undefined;
  /** The account's token; undefined if it logs in with a password. */
  token: TokenCredential | undefined;
  found: Found;
  /** Undefined if nothing is said about callers. */
  who: Who | undefined;
}

/** A comment that tells what to put into a template. */
const advice = /template|example\.com|put your/i;

/**
 * @returns what an environment keeps; all of it empty for one that is not there yet
 * @throws Error if the text is not TOML
 */
export function partsOf(text: string, env: string): PolicyParts {
  const { [env]: environment = {} } = ((parse(text) as { env?: Record<string, Keys> }).env ?? {}) as Record<
    string,
    Keys
  >;
  const issuers = tables(environment.issuers);
  if (isTemplate(environment.cluster, issuers)) {
    const template = ["accounts", "issuers", "grants", "docs"].filter(
      (part) => environment[part] !== undefined,
    );
    return { accounts: {}, issuers: [], grants: [], template };
  }
  const accounts = isTable(environment.accounts) ? (environment.accounts as Record<string, Keys>) : {};
  return { accounts, issuers, grants: tables(environment.grants), template: [] };
}

/** Hosts and issuers under example.com belong to no operator (RFC 2606). */
function isTemplate(cluster: unknown, issuers: readonly Keys[]): boolean {
  const hosts = isTable(cluster) && Array.isArray(cluster.hosts) ? cluster.hosts.map(String) : [];
  const isExample = (host: string) => /(?:^|\.)example\.com$/i.test(host);
  return (
    hosts.length > 0 &&
    hosts.every((host) => isExample(host.replace(/:\d+$/, ""))) &&
    issuers.every(({ issuer }) => URL.canParse(String(issuer)) && isExample(new URL(String(issuer)).hostname))
  );
}

/** @returns the text with the found values, and the name of the account's secret. @throws Error as `editToml` */
export function withResult(target: Target, text: string, result: Result): Edited & { secret: string } {
  const { env, account } = target;
  const { accounts, template } = partsOf(text, env);
  const { connection, database, ca, token, found, who } = result;
  const [host] = connection.hosts;
  const own = ca !== undefined;
  const secret = secretOf(account, accounts[account] ?? {}, token !== undefined);
  const at = (...parts: string[]) => ["env", env, ...parts];
  const edited = editToml(text, {
    remove: template.map((part) => at(part)),
    drop:
      who?.gone === undefined
        ? []
        : ["issuers", "grants"].map((part) => ({
            path: at(part),
            isGone: ({ issuer }) => issuer === who.gone,
          })),
    set: [
      {
        path: at("cluster"),
        keys: {
          engine: found.engine,
          hosts: [hostText(host)],
          database,
          link: own ? "rustls" : "platform",
          trust: own ? "bundle" : "public",
          ca: own ? `ca/${env}.pem` : undefined,
          tls_min: own ? connection.tlsMin : undefined,
          tls_max: own ? connection.tlsMax : undefined,
          tls_server_name: undefined,
        },
        ...(template.length > 0 && { forget: advice }),
      },
      {
        path: at("accounts", account),
        keys: {
          user: connection.user,
          password: token ? undefined : secret,
          token: token && tokenTable(secret, token),
          acts_as: found.proxied ? found.account : undefined,
          // The account's settings for a password mean nothing for a token.
          ...(token ? { plugin: undefined, cleartext: undefined } : {}),
        },
      },
    ],
    append: [
      ...(who?.issuer ? [{ path: at("issuers"), keys: who.issuer }] : []),
      ...(who?.grant ? [{ path: at("grants"), keys: who.grant }] : []),
    ],
  });
  return { ...edited, secret };
}

/** The name of a secret that the account has already stays. */
function secretOf(account: string, { token, password }: Keys, isToken: boolean): string {
  const known = isToken ? (token as { key?: unknown } | undefined)?.key : password;
  if (typeof known === "string") return known;
  return `${account.toUpperCase().replaceAll("-", "_")}_${isToken ? "TOKEN_KEY" : "PASSWORD"}`;
}

function tables(value: unknown): Keys[] {
  return Array.isArray(value) ? value.filter(isTable) : [];
}

function isTable(value: unknown): value is Keys {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
