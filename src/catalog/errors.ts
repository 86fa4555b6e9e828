/** One thing to correct in a file. */
export interface Mistake {
  file: string;
  /** Counted from 1. */
  line: number;
  /** The mistake, and how to correct it. */
  message: string;
}

/** Saved queries have mistakes. It lists all of them, for the author, when the gateway is built. */
export class CatalogError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(({ file, line, message }) => `${file}:${line}: ${message}`).join("\n"));
    this.name = "CatalogError";
    this.mistakes = mistakes;
  }

  /** The file of the first mistake. */
  get file(): string {
    return this.mistakes[0]?.file ?? "";
  }

  /** The line of the first mistake. */
  get line(): number {
    return this.mistakes[0]?.line ?? 1;
  }
}
