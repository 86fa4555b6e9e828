import { existsSync, readFileSync, rmSync } from "node:fs";
import type { Development } from "../project/development.ts";
import { developmentFile } from "../project/development.ts";

/** The parts that `npm start` has started, and how they are stopped. */
export class Running {
  /** The directory for the files and logs of all parts. */
  readonly directory: string;
  readonly #startedMs = performance.now();
  /** In the order of starting. */
  readonly #parts: { name: string; stop(): Promise<void> }[] = [];
  #stopping = false;

  constructor(directory: string) {
    this.directory = directory;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** @returns the time since the start, in seconds with one digit */
  seconds(): string {
    return ((performance.now() - this.#startedMs) / 1000).toFixed(1);
  }

  log(line: string): void {
    console.log(`[${this.seconds().padStart(5)} s] ${line}`);
  }

  add(name: string, stop: () => Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  /** Stops everything, the latest first, and ends the process. */
  async stop(code: number, reason?: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    if (reason !== undefined) console.error(`\n${reason}; its log is in ${this.directory}`);
    if (existsSync(developmentFile()) && ownsFile()) rmSync(developmentFile(), { force: true });
    for (const { name, stop } of this.#parts.reverse()) {
      this.log(`stopping ${name}`);
      await stop().catch((cause: unknown) => console.error(String(cause)));
    }
    process.exit(code);
  }
}

function ownsFile(): boolean {
  return (JSON.parse(readFileSync(developmentFile(), "utf8")) as Development).pids.start === process.pid;
}
