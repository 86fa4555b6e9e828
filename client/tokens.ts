/**
 * A token, or a function that gives one. The function is called for each request, so it keeps the token itself.
 * `refused` says that the gateway has refused `previous`: it must get another, or give the one that another tab got.
 */
export type Token = string | ((request: TokenRequest) => string | Promise<string>);

export interface TokenRequest {
  refused: boolean;
  /** The token that was refused. */
  previous: string | undefined;
}

/** Asks for tokens; for parallel requests once. */
export interface Tokens {
  /** @returns the token, and its age for `renew` */
  get(): Promise<{ token: string; age: number }>;
  /** @param age of the token that was refused: if another request has renewed it meanwhile, that one counts */
  renew(age: number, refused: string): Promise<string>;
}

export function tokensOf(token: Token): Tokens {
  let asking: Promise<string> | undefined;
  let renewing: Promise<string> | undefined;
  let renewed: Promise<string> | undefined;
  /** How often the token was renewed. */
  let newest = 0;
  const ask = async (previous?: string) =>
    demandHeader(
      "token",
      typeof token === "string" ? token : await token({ refused: previous !== undefined, previous }),
    );
  return {
    async get() {
      const age = newest;
      asking ??= renewing ? undefined : ask().finally(() => (asking = undefined));
      return { token: (await (renewing ?? asking)) as string, age };
    },
    renew(age, refused) {
      if (age === newest) {
        newest += 1;
        renewed = renewing = ask(refused).finally(() => (renewing = undefined));
      }
      return renewed as Promise<string>;
    },
  };
}

/** Platforms repeat a header that they refuse in their message, and this may be a token. @throws TypeError */
export function demandHeader(name: string, value: unknown): string {
  if (typeof value === "string" && /^[!-~]+$/.test(value)) return value;
  throw new TypeError(`${name} cannot be a header.`);
}
