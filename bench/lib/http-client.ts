import { Agent, request } from "node:http";

/** One request, which can be sent many times. */
export interface Asking {
  url: string;
  method?: string;
  headers: Record<string, string>;
  body?: string;
}

export interface Answered {
  status: number;
  retryAfter: string | undefined;
  body: string;
}

/** It has as many connections as there are requests at once, and uses free ones again. */
export const agent = new Agent({ keepAlive: true });

/**
 * It costs less than fetch(), because the bench must not measure the load generator. @throws Error if the
 * connection fails
 */
export async function ask({ url, method = "GET", headers, body }: Asking): Promise<Answered> {
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
    sent.end(body);
  });
}
