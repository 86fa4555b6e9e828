import { ServerUnavailableError } from "./errors.ts";
import { run, which } from "./run.ts";

/** @throws ServerUnavailableError if no Docker daemon answers */
export async function demandDocker(): Promise<void> {
  if (which("docker") === undefined) throw new ServerUnavailableError("docker is not installed");
  const info = await run("docker", ["info", "--format", "{{.ServerVersion}}"], { timeoutMs: 20_000 });
  if (info.status !== 0 || info.stdout.trim() === "") {
    throw new ServerUnavailableError(`its daemon does not answer: ${info.stderr.trim().split("\n").at(-1)}`);
  }
}
