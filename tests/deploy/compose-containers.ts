/** `docker compose` in the root of the repository, and the containers that it has made. */
import { fileURLToPath } from "node:url";
import type { Engine } from "./engine.ts";
import { run } from "./shell.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs `docker compose` and resolves to its output. */
export type Compose = (...args: readonly string[]) => Promise<string>;

export async function runCompose(
  engine: Engine,
  args: readonly string[],
): Promise<string> {
  return await run("docker", ["compose", "--progress", "quiet", ...args], {
    cwd: ROOT,
    env: engine.env,
  });
}

/** A container as `docker inspect` shows it. */
export interface Container {
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly HostConfig: {
    readonly PortBindings: Readonly<
      Record<string, readonly { readonly HostIp: string }[] | null>
    >;
  };
}

/** All containers of the engine, also those that have ended. */
export async function containersOf(engine: Engine): Promise<Container[]> {
  const ids = await engine.docker(["ps", "--all", "--quiet"]);
  if (ids === "") return [];
  const inspected = await engine.docker(["inspect", ...ids.split("\n")]);
  return JSON.parse(inspected) as Container[]; // docker's contract
}

/** The first container of a service. */
export async function containerOf(
  engine: Engine,
  service: string,
): Promise<Container> {
  const all = await containersOf(engine);
  const found = all.find(({ Name }) => Name === `/postrider-${service}-1`);
  if (found === undefined) throw new Error(`there is no container ${service}`);
  return found;
}
