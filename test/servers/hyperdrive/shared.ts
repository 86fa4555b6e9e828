import type { Origin } from "./origin.ts";

/** How a statement is handled: forwarded, refused by Hyperdrive, never answered, or its connection breaks. */
export type Reaction = "forward" | "hang" | "cut" | "cut-reply" | { errno: number; message: string };

/** The state that all clients of a stand-in share. */
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
