/** How many sockets an object may have at once: whoever wants another waits until one has really ended. */
export class SocketSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Takes the place of one socket, which `give` gives back.
   * @returns false when there was none in time
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
