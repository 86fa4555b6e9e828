import type { Engine } from "../../../servers/database/engines.ts";
import { engines } from "../../../servers/database/engines.ts";

/**
 * The first line of a gateway test whose subject is the same on every engine. Such a test runs on one
 * engine only.
 */
const onlyOn = /^\/\/ Runs on (\w+) only: /;

/**
 * The only engine on which a gateway test runs: its folder has the engine's name, or its first line says so.
 * @param file `test/gateway/tidb/kill.test.ts`
 */
export function onlyEngine(file: string, text: string): Engine | undefined {
  const name = onlyOn.exec(text)?.[1];
  return engines.find((engine) => engine === name || file.includes(`/gateway/${engine}/`));
}
