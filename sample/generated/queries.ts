/**
 * The saved queries of this project. `npm run generate` writes this file; do not edit it.
 *
 * `result` is `many` rows, `one` row, or the counts of a change (`exec`). BIGINT and DECIMAL are strings in
 * answers, because a JSON number would be rounded. A client that converts them says so: `Queries<bigint, number>`;
 * the third one is DATETIME and TIMESTAMP: `Queries<bigint, number, Date>`.
 */
export interface Queries<Bigint = string, Decimal = string, Datetime = string> {
  /** Adds a note about a city; its author is the token's subject. */
  "add-note": {
    parameters: {
      /** The city's id */
      city_id: number | Bigint;
      /** The note's text */
      body: string;
    };
    result: "exec";
    row: never;
    writes: true;
    pages: false;
  };
  /** Cities of a region, most populous first, in pages. */
  cities: {
    parameters: {
      /** Where they are */
      region: "Africa" | "Americas" | "Antarctic" | "Asia" | "Europe" | "Oceania";
      /** The beginning of the name */
      prefix?: string;
      /** The fewest people */
      min_population?: number;
    };
    result: "many";
    row: {
      /** INT UNSIGNED */
      id: number;
      /** VARCHAR */
      name: string;
      /** INT UNSIGNED */
      population: number;
      /** CHAR */
      country_code: string;
    };
    writes: false;
    pages: true;
  };
  /** Cities of a country, most populous first. */
  "cities-by-country": {
    parameters: {
      /** Two-letter code of the country (ISO 3166-1), such as NZ */
      country: string;
      /** How many cities at most */
      limit?: number;
    };
    result: "many";
    row: {
      /** INT UNSIGNED */
      id: number;
      /** VARCHAR */
      name: string;
      /** INT UNSIGNED */
      population: number;
      /** DOUBLE */
      latitude: number;
      /** DOUBLE */
      longitude: number;
      /** VARCHAR */
      country: string;
    };
    writes: false;
    pages: false;
  };
  /** One city, by its id. */
  city: {
    parameters: {
      /** The city's id */
      id: number | Bigint;
    };
    result: "one";
    row: {
      /** INT UNSIGNED */
      id: number;
      /** VARCHAR */
      name: string;
      /** INT UNSIGNED */
      population: number;
      /** DOUBLE */
      latitude: number;
      /** DOUBLE */
      longitude: number;
      /** VARCHAR */
      country: string;
    };
    writes: false;
    pages: false;
  };
  /** Countries of some codes, by name. */
  "countries-by-code": {
    parameters: {
      /** Two-letter codes */
      codes: readonly string[];
    };
    result: "many";
    row: {
      /** CHAR */
      code: string;
      /** VARCHAR */
      name: string;
    };
    writes: false;
    pages: false;
  };
  /** One country with all that is known about it. */
  country: {
    parameters: {
      /** Two-letter code of the country (ISO 3166-1), such as NZ */
      code: string;
    };
    result: "many";
    row: {
      /** CHAR */
      code: string;
      /** CHAR */
      code3: string;
      /** VARCHAR */
      name: string;
      /** VARCHAR */
      official_name: string;
      /** VARCHAR */
      capital: string | null;
      /** VARCHAR */
      region: string;
      /** VARCHAR */
      subregion: string | null;
      /** DECIMAL */
      area_km2: Decimal | null;
      /** TINYINT */
      independent: number | null;
      /** TINYINT */
      un_member: number;
      /** TINYINT */
      landlocked: number;
      /** DOUBLE */
      latitude: number;
      /** DOUBLE */
      longitude: number;
      /** JSON */
      languages: unknown;
      /** JSON */
      currencies: unknown;
    };
    writes: false;
    pages: false;
  };
  /**
   * The caller's own notes, newest first.
   *
   * Whose they are is decided by the token: :jwt.sub is its subject, which a caller cannot send.
   */
  "my-notes": {
    parameters: {
      /** Only notes about this city */
      city_id?: number | Bigint | null;
      /** How many notes at most */
      limit?: number;
    };
    result: "many";
    row: {
      /** BIGINT UNSIGNED */
      id: Bigint;
      /** INT UNSIGNED */
      city_id: number;
      /** VARCHAR */
      city: string;
      /** TEXT */
      body: string;
      /** TIMESTAMP */
      created_at: Datetime;
    };
    writes: false;
    pages: false;
  };
  /** The regions of the world: how many countries each has, and their area. */
  regions: {
    parameters: Record<string, never>;
    result: "many";
    row: {
      /** VARCHAR */
      region: string;
      /** BIGINT */
      countries: Bigint;
      /** DECIMAL */
      area_km2: Decimal | null;
    };
    writes: false;
    pages: false;
  };
}
