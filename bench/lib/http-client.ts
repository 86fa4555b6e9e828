import { Agent, request } from "node:http";

/** One request, as often as wanted. */
export interface Asking {
  url: string;
  method?: string;
  headers: Record<string, string>;
}

export interface Answered {
  status: number;
  retryAfter: string | undefined;
  body: string;
}

/** As many connections as there are requests at once; those that are free are used again. */
export const agent = new Agent({ keepAlive: true });

/** Costs less than fetch(): the load generator must not be what is measured. @throws when the connection fails */
export async function ask({ url, method = "GET", headers }: Asking): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers["retry-after"],
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}
