import { InvalidArgumentError } from "@commander-js/extra-typings";
import { SignJWT } from "jose";
import { mint, readSigningKey } from "../servers/issuer/issuer.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { readDevelopment } from "./project/development.ts";

export const declaration = declare("token", "Prints a token of the development issuer, while npm start runs.")
  .option("--role <ROLE>", "the token's claim role: analyst, editor or operator", "analyst")
  .option("--sub <SUBJECT>", "the token's subject", "developer")
  .option("--expires <SPAN>", "how long it is valid, with a unit: 90s, 30m, 12h, 7d", span, "12h");

export async function run({ role, sub, expires }: OptionsOf<typeof declaration>): Promise<undefined> {
  const development = readDevelopment();
  if (!development) throw new Stop("Nothing is running: npm start first, in another terminal.");
  const key = await readSigningKey(development.signing_key);
  const claims = { iss: development.issuer, aud: development.audience, sub, role };
  console.log(await mint(key, claims, { expires }));
}

function span(text: string): string {
  try {
    new SignJWT().setExpirationTime(text);
    return text;
  } catch {
    throw new InvalidArgumentError("It takes a number with a unit: 90s, 30m, 12h or 7d.");
  }
}
