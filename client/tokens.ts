/**
 * A token, or a function that gives one. The function is called for each request, so it keeps the token itself.
 * `refused` says that the gateway has refused the one it gave: it must get another.
 */
export type Token = string | ((request: { refused: boolean }) => string | Promise<string>);

/** Asks for tokens; for parallel requests once. */
export class Tokens {
  readonly #token: Token;
  #asking: Promise<string> | undefined;
  #renewing: Promise<string> | undefined;
  #renewed: Promise<string> | undefined;
  /** How often a token was renewed. */
  #age = 0;

  constructor(token: Token) {
    this.#token = token;
  }

  /** @returns the token, and its age for `renew` */
  async get(): Promise<{ token: string; age: number }> {
    this.#asking ??= this.#ask(false).finally(() => {
      this.#asking = undefined;
    });
    const token = await (this.#renewing ?? this.#asking);
    return { token, age: this.#age };
  }

  /**
   * @param age of the token that was refused: if another request has renewed it meanwhile, that one counts
   * @returns undefined if there can be no other
   */
  renew(age: number): Promise<string> | undefined {
    if (typeof this.#token === "string") return undefined;
    if (age === this.#age) {
      this.#age += 1;
      this.#renewing = this.#renewed = this.#ask(true).finally(() => {
        this.#renewing = undefined;
      });
    }
    return this.#renewed;
  }

  async #ask(refused: boolean): Promise<string> {
    const token = typeof this.#token === "string" ? this.#token : await this.#token({ refused });
    return demandHeader("token", token);
  }
}

/** Platforms repeat a header that they refuse in their message, and this may be a token. @throws TypeError */
export function demandHeader(name: string, value: unknown): string {
  if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
  throw new TypeError(`${name} is no text that a header can have.`);
}
