/**
 * Writes the types that openapi-typescript makes of the document on standard input. It needs the compiler's
 * JavaScript interface, which TypeScript 7 does not have, so it gets that of TypeScript 6.
 */
import { registerHooks } from "node:module";
import { text } from "node:stream/consumers";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "typescript"
      ? { url: new URL("typescript-interface.mjs", import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});

const { default: openapiTS, astToString } = await import("openapi-typescript");
process.stdout.write(astToString(await openapiTS(JSON.parse(await text(process.stdin)))));
