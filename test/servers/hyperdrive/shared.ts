import type { Origin } from "./origin.ts";

/** What becomes of a statement: forwarded, refused by Hyperdrive, never answered, or the connection breaks. */
export type Reaction = "forward" | "hang" | "cut" | "cut-reply" | { errno: number; message: string };

/** What the clients of a stand-in share. */
export interface Shared {
  readonly user: string;
  readonly password: string;
  readonly greeting: (scramble: Buffer) => Buffer;
  readonly statements: string[];
  readonly refused: string[];
  reaction: (sql: string) => Reaction;
  lend(): Promise<Origin>;
  giveBack(origin: Origin): void;
}
