import { once } from "node:events";
import net from "node:net";

/** A TCP proxy in front of the gateway, which meddles with its next answer. */
export interface Meddler {
  url: string;
  /** How many requests have come, retries too. */
  readonly requests: readonly string[];
  /** The next answers are lost: the gateway gives them, and the connection ends in place of each. */
  lose(answers: number): void;
  /** The next answer ends after so many bytes. */
  cutAfter(bytes: number): void;
  /** In place of the next answers these come, and the gateway sees no request. */
  answer(...texts: string[]): void;
  /** Whether connections of callers to the gateway are open. */
  readonly open: number;
  stop(): Promise<void>;
}

export async function startMeddler(gateway: URL): Promise<Meddler> {
  let losing = 0;
  let cutting: number | undefined;
  let canned: string[] = [];
  const requests: string[] = [];
  const sockets = new Set<net.Socket>();
  let open = 0;
  const server = net.createServer((caller) => {
    open += 1;
    const upstream = net.connect(Number(gateway.port), gateway.hostname);
    const end = () => {
      caller.destroy();
      upstream.destroy();
    };
    for (const socket of [caller, upstream]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    caller.on("close", () => {
      open -= 1;
    });
    caller.on("data", (bytes) => {
      const [first] = /^[A-Z]+ \/\S*(?= HTTP)/.exec(bytes.toString("latin1")) ?? [];
      if (first !== undefined) requests.push(first);
      const text = first === undefined ? undefined : canned.shift();
      if (text === undefined) upstream.write(bytes);
      else {
        const head = text.includes("\r\n\r\n") ? text : `${text}\r\nContent-Length: 0\r\n\r\n`;
        caller.write(head.replace("\r\n", "\r\nConnection: close\r\n"), () => caller.end());
      }
    });
    upstream.on("data", (bytes) => {
      if (losing > 0) {
        losing -= 1;
        end();
      } else if (cutting !== undefined) {
        const part = bytes.subarray(0, cutting);
        cutting -= part.length;
        if (cutting > 0) caller.write(part);
        else {
          cutting = undefined;
          caller.write(part, end);
        }
      } else if (!caller.write(bytes)) {
        upstream.pause();
        caller.once("drain", () => upstream.resume());
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    requests,
    get open() {
      return open;
    },
    lose(answers) {
      losing = answers;
    },
    cutAfter(bytes) {
      cutting = bytes;
    },
    answer(...texts) {
      canned = texts;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
