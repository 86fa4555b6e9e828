import net from "node:net";

/** A request whose body never ends. */
export interface Endless {
  /** Default: POST. */
  method?: string;
  path?: string;
  token?: string;
  /** How the request declares the body's length. */
  framing?: "length" | "chunked";
  /** Whether a byte comes from time to time, or none at all. */
  trickles?: boolean;
}

/** Sends it over its own socket. @returns the whole answer, after the gateway has closed the connection */
export async function sendEndless(
  url: URL | string,
  { method = "POST", path = "/v1/sql", token, framing = "length", trickles = true }: Endless,
): Promise<string> {
  const { hostname, port, host } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    "Content-Type: application/json",
    framing === "chunked" ? "Transfer-Encoding: chunked" : "Content-Length: 100000",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const timer = setInterval(() => {
    if (trickles) socket.write(framing === "chunked" ? "1\r\n \r\n" : " ");
  }, 200);
  let answer = "";
  socket.setEncoding("utf8").on("data", (text) => {
    answer += text;
  });
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(timer);
  return answer;
}
