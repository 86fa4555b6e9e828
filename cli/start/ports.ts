import { createServer } from "node:net";

/**
 * Makes a program listen on loopback: on the wanted port, or on the next one that it gets. Another program
 * may take a free port before the bind, so only the bind decides.
 * @param bind listens on a port. @throws an error with the code EADDRINUSE if another program has it
 * @param log told of a port other than the wanted one
 * @returns the result of `bind`
 */
export async function onFreePort<T>(
  what: string,
  wanted: number,
  log: (line: string) => void,
  bind: (port: number) => Promise<T>,
): Promise<T> {
  for (let port = wanted; port < wanted + 100; port++) {
    // A program takes long to start, so skip a port that is already taken.
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
