import type { ServerResponse } from "node:http";
import type { SigningKey } from "../../../servers/issuer/issuer.ts";
import { createSigningKey, mint, startKeyServer } from "../../../servers/issuer/issuer.ts";
import { audience } from "../support/harness.ts";

/** An issuer that publishes its keys as the test decides. */
export interface Publisher {
  issuer: string;
  jwksUri: string;
  /** The published keys. */
  keys: SigningKey[];
  /**
   * How fetches are answered. Fetches that hang get their answer when this is set to "up". A trickling one
   * never ends.
   */
  state: "up" | "down" | "hanging" | "trickling";
  /** The number of fetches, failed ones too. */
  fetches: number;
  /** @returns a new token, signed with the first key unless another is given; its own lifetime is a day */
  token(key?: SigningKey, claims?: Record<string, unknown>, expires?: number): Promise<string>;
}

export interface Publishers<Name extends string> {
  of: Record<Name, Publisher>;
  /**
   * The sections for startGateway: every issuer with its keys there. All callers may use the saved queries.
   */
  options: { issuers: Record<string, unknown>[]; grants: Record<string, unknown>[] };
  stop(): Promise<void>;
}

/** Starts one key server for several issuers, each with its own key. */
export async function startPublishers<Name extends string>(
  names: readonly Name[],
): Promise<Publishers<Name>> {
  const publishers = await Promise.all(names.map(publisher));
  const routes = Object.fromEntries(
    publishers.map(({ path, answer }) => [path, (_: unknown, response: ServerResponse) => answer(response)]),
  );
  const server = await startKeyServer([], 0, { routes });
  for (const { path, made } of publishers) made.jwksUri = `${server.url}${path}`;
  const all = publishers.map(({ made }) => made);
  return {
    of: Object.fromEntries(names.map((name, i) => [name, all[i]])) as Record<Name, Publisher>,
    options: {
      issuers: all.map(({ issuer, jwksUri }) => ({
        issuer,
        audience,
        jwks_uri: jwksUri,
        algorithms: ["ES256"],
      })),
      grants: all.map(({ issuer }) => ({ issuer, account: "analyst", allow: ["query:*"] })),
    },
    stop: server.stop,
  };
}

async function publisher(name: string) {
  const waiting: ServerResponse[] = [];
  let state: Publisher["state"] = "up";
  let tokens = 0;
  const serve = (response: ServerResponse) =>
    response.end(JSON.stringify({ keys: made.keys.map(({ publicJwk }) => publicJwk) }));
  const made: Publisher = {
    issuer: `http://issuer.test/${name}`,
    jwksUri: "",
    keys: [await createSigningKey()],
    fetches: 0,
    get state() {
      return state;
    },
    set state(next) {
      state = next;
      if (next === "up") for (const response of waiting.splice(0)) serve(response);
    },
    token(key = made.keys[0] as SigningKey, claims = {}, expires) {
      tokens += 1;
      const all = { iss: made.issuer, aud: audience, sub: "someone", jti: String(tokens), ...claims };
      return mint(key, all, { expires: expires ?? "1d" });
    },
  };
  const answer = (response: ServerResponse) => {
    made.fetches += 1;
    if (state === "hanging") waiting.push(response);
    else if (state === "down") response.writeHead(500).end();
    else if (state === "trickling") trickle(response);
    else serve(response);
  };
  return { path: `/${name}`, made, answer };
}

/** A key set that never ends. It comes byte by byte. */
function trickle(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" }).write('{"keys":[');
  const timer = setInterval(() => response.write(" "), 100);
  response.once("close", () => clearInterval(timer));
}
