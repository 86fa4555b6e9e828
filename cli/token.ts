/** npm run token -- [--role ROLE] [--sub SUBJECT] [--expires SPAN]: a token of the development issuer. */
import { parseArgs } from "node:util";
import { mint, readSigningKey } from "../servers/issuer/issuer.ts";
import { readDevelopment } from "./dev/development.ts";

const { values } = parseArgs({
  options: {
    role: { type: "string", default: "analyst" },
    sub: { type: "string", default: "developer" },
    expires: { type: "string", default: "12h" },
  },
});

const development = readDevelopment();
if (!development) {
  console.error("Nothing is running: npm start first, in another terminal.");
  process.exit(1);
}
const key = await readSigningKey(development.signing_key);
const claims = { iss: development.issuer, aud: development.audience, sub: values.sub, role: values.role };
console.log(await mint(key, claims, { expires: values.expires }));
