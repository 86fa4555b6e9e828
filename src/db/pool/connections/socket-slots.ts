/** Limits an object's sockets. A new socket waits until an old one has ended. */
export class SocketSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Takes a slot. `give` frees it.
   * @returns false if no slot became free in time
   */
  async take(timeoutMs: number): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        resolve(false);
      }, timeoutMs);
      const take = () => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#waiting.push(take);
    });
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
