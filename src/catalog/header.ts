/** The comment at the top of a saved query (docs/queries.md has the grammar). */

import type { Claim } from "./claims.ts";
import { readClaimLine } from "./head/claim.ts";
import { type PlacedExample, readExample } from "./head/example.ts";
import { Line } from "./head/line.ts";
import { readPage } from "./head/page.ts";
import { readParameterLine } from "./head/param.ts";
import { readCache, readDeadline, readMaxRows, readResult, readTags } from "./head/settings.ts";
import type { Page, Parameter, ResultKind } from "./saved-query.ts";
import type { Report } from "./source.ts";

export interface Header {
  description: string;
  parameters: readonly Parameter[];
  /** The declared claims. */
  claims: readonly Claim[];
  /** The position of each parameter's name in its declaration, also in a wrong one. */
  places: ReadonlyMap<string, number>;
  /** The position of each claim's name in its declaration, by its name without `jwt.`. */
  claimPlaces: ReadonlyMap<string, number>;
  /** What the other lines say. */
  settings: Settings;
  /** The position of each line that stands there once, by its tag: `@page`. */
  settingPlaces: ReadonlyMap<string, number>;
  examples: readonly PlacedExample[];
  /** The line of the statement's first word. */
  end: number;
}

/** The lines that may stand there once. */
export interface Settings {
  result?: ResultKind;
  page?: Page;
  deadlineMs?: number;
  maxRows?: number;
  cache?: { maxAgeSeconds: number };
  tags?: readonly string[];
}

const settingReaders: Readonly<Record<string, (line: Line, report: Report) => Settings>> = {
  "@result": (line, report) => member("result", readResult(line, report)),
  "@page": (line, report) => member("page", readPage(line, report)),
  "@deadline_ms": (line, report) => member("deadlineMs", readDeadline(line, report)),
  "@max_rows": (line, report) => member("maxRows", readMaxRows(line, report)),
  "@cache": (line, report) => member("cache", readCache(line, report)),
  "@tags": (line, report) => member("tags", readTags(line, report)),
};

function member<K extends keyof Settings>(name: K, value: Settings[K] | undefined): Settings {
  return value === undefined ? {} : { [name]: value };
}

/** The tags of the lines that a head may have. */
export const lineTags: readonly string[] = ["@param", "@claim", ...Object.keys(settingReaders), "@example"];

/** Reads the `-- ` lines before the statement. Lines that begin with @ are declarations, all others the description. */
export function readHeader(source: string, report: Report): Header {
  const head = new HeadReader(source, report);
  const end = head.read();
  const { description, parameters, claims, places, claimPlaces, settings, settingPlaces, examples } = head;
  return {
    description: description.join("\n").trim(),
    ...{ parameters, claims, places, claimPlaces, settings, settingPlaces, examples },
    end,
  };
}

class HeadReader {
  readonly description: string[] = [];
  readonly parameters: Parameter[] = [];
  readonly claims: Claim[] = [];
  readonly places = new Map<string, number>();
  readonly claimPlaces = new Map<string, number>();
  readonly settings: Settings = {};
  readonly settingPlaces = new Map<string, number>();
  readonly examples: PlacedExample[] = [];
  readonly #source: string;
  readonly #report: Report;

  constructor(source: string, report: Report) {
    this.#source = source;
    this.#report = report;
  }

  /** @returns the line of the statement's first word */
  read(): number {
    const rows = this.#source.split("\n");
    let start = 0;
    for (const [index, row] of rows.entries()) {
      const text = commentText(row);
      if (text === undefined) return index + 1;
      if (text.startsWith("@")) this.#readLine(new Line(text, start + row.indexOf(text)));
      else this.description.push(text);
      start += row.length + 1;
    }
    return rows.length + 1;
  }

  #readLine(line: Line): void {
    const { text: tag, offset } = line.take();
    const readSetting = Object.hasOwn(settingReaders, tag) ? settingReaders[tag] : undefined;
    if (tag === "@param" || tag === "@claim") this.#declare(tag, line);
    else if (tag === "@example") this.#addExample(line);
    else if (readSetting === undefined) {
      this.#report(
        offset,
        `${tag} is not known: a line that begins with @ is one of ${lineTags.join(", ")}.`,
      );
    } else {
      if (this.settingPlaces.has(tag)) this.#report(offset, `${tag} stands there twice: remove one line.`);
      this.settingPlaces.set(tag, offset);
      Object.assign(this.settings, readSetting(line, this.#report));
    }
  }

  #addExample(line: Line): void {
    const example = readExample(line, this.#report);
    if (example) this.examples.push(example);
  }

  #declare(tag: "@param" | "@claim", line: Line): void {
    const name = line.take();
    const [what, own, other] =
      tag === "@param"
        ? (["parameter", this.places, this.claimPlaces] as const)
        : (["claim", this.claimPlaces, this.places] as const);
    if (own.has(name.text)) {
      this.#report(name.offset, `The ${what} ${name.text} is declared twice: remove one line.`);
    } else if (other.has(name.text)) this.#report(name.offset, bothKinds(name.text));
    own.set(name.text, name.offset);
    if (tag === "@param") {
      const parameter = readParameterLine(name, line, this.#report);
      if (parameter) this.parameters.push(parameter);
    } else {
      const claim = readClaimLine(name, line, this.#report);
      if (claim) this.claims.push(claim);
    }
  }
}

/**
 * If both had one name, the typing error `:tenant` for `:jwt.tenant` would let the caller choose the tenant.
 */
function bothKinds(name: string): string {
  return `${name} is declared as a parameter and as a claim: rename one. :${name} is the caller's parameter, :jwt.${name} is the token's claim.`;
}

/** @returns the text of a comment line; "" for a blank line; undefined for the first line of the statement */
function commentText(row: string): string | undefined {
  const line = row.trim();
  if (line === "") return "";
  return line === "--" || line.startsWith("-- ") || line.startsWith("--\t")
    ? line.slice(2).trim()
    : undefined;
}
