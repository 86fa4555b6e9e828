import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { launch } from "../child.ts";
import { ServerUnavailableError } from "../errors.ts";
import { run } from "../run.ts";
import { commonArguments, tlsArguments } from "./arguments.ts";
import { administratorPassword } from "./data.ts";
import type { DockerInstallation } from "./installation.ts";
import { withoutPam } from "./pam.ts";
import { writePki } from "./pki-files.ts";
import type { Launched, StartOptions } from "./types.ts";

/**
 * Starts the official image in the foreground, with its data in a volume named after the directory. The
 * image's own start script makes the data and sets root's password. Throws ServerUnavailableError.
 */
export async function launchDocker(
  installation: DockerInstallation,
  options: StartOptions,
  port: number,
  logPath: string,
): Promise<Launched> {
  const { directory, log } = options;
  const { engine } = installation;
  if (options.pam) throw withoutPam(installation);
  // Other users cannot enter this folder, so the key inside may be readable for the container's user.
  const privateFolder = join(directory, "container");
  const tlsFolder = join(privateFolder, "tls");
  rmSync(privateFolder, { recursive: true, force: true });
  mkdirSync(tlsFolder, { recursive: true });
  chmodSync(privateFolder, 0o700);
  chmodSync(tlsFolder, 0o755);
  writePki(tlsFolder, options.pki);
  for (const file of readdirSync(tlsFolder)) chmodSync(join(tlsFolder, file), 0o644);
  const name = `tidegate-${engine}-${createHash("sha256").update(directory).digest("hex").slice(0, 12)}`;
  await run("docker", ["rm", "--force", name]);
  const { password, isNew } = administratorPassword(directory);
  // A volume is useless when its password was lost.
  if (isNew) await run("docker", ["volume", "rm", "--force", name]);
  const present = await run("docker", ["image", "inspect", installation.image]);
  if (present.status !== 0) {
    log(`docker: pulling ${installation.image}`);
    const pulled = await run("docker", ["pull", "--quiet", installation.image]);
    if (pulled.status !== 0) throw new ServerUnavailableError(`docker pull failed: ${pulled.stderr.trim()}`);
  }
  const prefix = engine === "mysql" ? "MYSQL" : "MARIADB";
  const child = await launch({
    command: [
      ...["docker", "run", "--rm", "--name", name],
      ...["--publish", `127.0.0.1:${port}:3306`],
      ...["--volume", `${tlsFolder}:/tidegate:ro`],
      ...["--mount", `type=volume,source=${name},target=/var/lib/mysql`],
      // Without a value, docker takes it from its own environment, which other users cannot read.
      ...["--env", `${prefix}_ROOT_PASSWORD`, "--env", `${prefix}_ROOT_HOST=%`],
      installation.image,
      ...commonArguments(engine),
      ...tlsArguments(engine, options.tls ?? "required", "/tidegate"),
      ...(options.extraArguments ?? []),
    ],
    environment: { ...process.env, [`${prefix}_ROOT_PASSWORD`]: password },
    logPath,
  });
  // docker's client passes signals to the server, except SIGKILL, which ends only the client.
  void child.exited.then(() => run("docker", ["rm", "--force", name]));
  return {
    child: {
      ...child,
      kill: async () => {
        await run("docker", ["kill", name]);
        return child.kill();
      },
    },
    password,
    socket: undefined,
    dataDirectory: undefined,
    readyMark: "ready for connections",
    cleanUp: () => {},
  };
}
