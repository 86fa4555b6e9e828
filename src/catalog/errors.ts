/** One thing to correct in a file. */
export interface Mistake {
  file: string;
  /** Counted from 1. */
  line: number;
  /** Counted from 1, in characters (Unicode code points). */
  column: number;
  /** The mistake, and how to correct it. */
  message: string;
}

/** @returns the form of a mistake that editors and terminals turn into a link */
export function mistakeText({ file, line, column, message }: Mistake): string {
  return `${file}:${line}:${column}: ${message}`;
}

/** Saved queries have mistakes. It lists all of them, for the author, when the gateway is built. */
export class CatalogError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(mistakeText).join("\n"));
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
