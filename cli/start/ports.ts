import { createServer } from "node:net";

/**
 * Has something listen on loopback: on the wanted port, or on the next one that it gets. A port that was free a moment ago
 * may be taken when it is bound, so only binding decides.
 * @param bind listens on a port. @throws an error with the code EADDRINUSE when another program has it
 * @param log told of another port than the wanted one
 * @returns what `bind` made
 */
export async function onFreePort<T>(
  what: string,
  wanted: number,
  log: (line: string) => void,
  bind: (port: number) => Promise<T>,
): Promise<T> {
  for (let port = wanted; port < wanted + 100; port++) {
    // To start a program takes long: not on a port that is taken anyway.
    if (!(await isFree(port))) continue;
    try {
      const bound = await bind(port);
      if (port !== wanted) log(`port ${wanted} is in use: the ${what} has ${port}`);
      return bound;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException | null)?.code !== "EADDRINUSE") throw cause;
    }
  }
  throw new Error(`no free port for the ${what} between ${wanted} and ${wanted + 99}`);
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
