/** Counts the logins in progress. Those that began before a drain take room and serve no request. */
export class Logins {
  #serving = 0;
  #overtaken = 0;
  #drains = 0;

  /** How many will serve requests. */
  get serving(): number {
    return this.#serving;
  }

  /** All of them. */
  get size(): number {
    return this.#serving + this.#overtaken;
  }

  /** Counts one. @returns a function to call when it has ended: false if a drain came in between */
  begin(): () => boolean {
    this.#serving += 1;
    const drains = this.#drains;
    return () => {
      const serves = drains === this.#drains;
      if (serves) this.#serving -= 1;
      else this.#overtaken -= 1;
      return serves;
    };
  }

  drain(): void {
    this.#drains += 1;
    this.#overtaken += this.#serving;
    this.#serving = 0;
  }
}
