import { setTimeout as sleep } from "node:timers/promises";
import type { CountingProxy, SeenCommand } from "../../../servers/wire/proxy.ts";
import { engine } from "./harness.ts";

/** The commands of a restore, as the proxy sees them. On MariaDB the USE is inside a block of statements. */
export const restore = ["COM_RESET_CONNECTION", "SET", engine === "mariadb" ? "BEGIN" : "USE", "SELECT"];

/** The restore comes after the answer, so wait until the proxy has seen its last command. */
export async function restored(proxy: CountingProxy): Promise<void> {
  let before = -1;
  while (before !== proxy.commands().length) {
    before = proxy.commands().length;
    await sleep(50);
  }
}

/** COM_STMT_CLOSE has no reply and is sent together with the next command: mysql2 sends it after a reset. */
export const texts = (commands: readonly SeenCommand[]) =>
  commands
    .filter(({ command }) => command !== "COM_STMT_CLOSE")
    .map(({ command, text }) => (command === "COM_QUERY" ? text?.replace(/ .*/s, "") : command));
