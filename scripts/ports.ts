import { createServer } from "node:net";

/**
 * @param spoken ports that are given to others, which do not listen yet
 * @returns `wanted`, or the next free port of loopback, said so through `log`
 */
export async function choosePort(
  what: string,
  wanted: number,
  log: (line: string) => void,
  spoken: readonly number[] = [],
): Promise<number> {
  for (let port = wanted; port < wanted + 100; port++) {
    if (spoken.includes(port) || !(await isFree(port))) continue;
    if (port !== wanted) log(`port ${wanted} is in use: the ${what} takes ${port}`);
    return port;
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
