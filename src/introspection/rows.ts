/** A row of information_schema. Each call reads the next value. */
export class Row {
  readonly #values: readonly unknown[];
  #at = 0;

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  /** @throws Error when the value has another type: this server's information_schema has another form */
  text(): string {
    const value = this.optionalText();
    if (value === null) throw new Error(`column ${this.#at} is NULL`);
    return value;
  }

  optionalText(): string | null {
    const value = this.#values[this.#at++];
    if (value === null || typeof value === "string") return value;
    throw new Error(`column ${this.#at} is no text`);
  }

  /** Reads an integer. Its width differs between servers, and wide integers arrive as text. */
  number(): number {
    const value = this.optionalNumber();
    if (value === null) throw new Error(`column ${this.#at} is NULL`);
    return value;
  }

  optionalNumber(): number | null {
    const value = this.#values[this.#at++];
    if (value === null) return null;
    const number = typeof value === "string" && value !== "" ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number)) return number;
    throw new Error(`column ${this.#at} is no integer`);
  }
}
