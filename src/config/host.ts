import { z } from "zod";

/** "host:port"; an IPv6 address stands in brackets. */
export const hostSchema = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s/@]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65535) {
    context.addIssue({ code: "custom", message: `must be "host:port", for example "db.example.com:3306"` });
    return z.NEVER;
  }
  return { hostname: (match[1] ?? match[2]) as string, port };
});
