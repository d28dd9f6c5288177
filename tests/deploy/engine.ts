import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { waitFor } from "@postrider/testkit";
import type { Prepared } from "./prepare.ts";
import { cgroupOf } from "./sandbox.ts";
import { run, runs, type ShellOptions } from "./shell.ts";

/** A container engine of our own. */
export interface Engine {
  /** `unix://…`, for DOCKER_HOST. Never the machine's own socket. */
  readonly host: string;
  /** The environment of programs that shall use this engine. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs `docker`; resolves to its output, without the last line end. */
  docker(args: readonly string[], options?: ShellOptions): Promise<string>;
  /** Stops the engine and its containers. */
  stop(): Promise<void>;
}

/** Starts dockerd as a child process, with its socket, state and data below `folder`. Call it in the sandbox. */
export async function startEngine(
  folder: string,
  compose: Prepared["compose"],
): Promise<Engine> {
  const at = (name: string): string => join(folder, name);
  const host = `unix://${at("docker.sock")}`;
  mkdirSync(at("config/cli-plugins"), { recursive: true });
  if (compose !== null)
    symlinkSync(compose, at("config/cli-plugins/docker-compose"));
  writeFileSync(at("daemon.json"), "{}");
  const log = openSync(at("dockerd.log"), "a");
  const daemon = spawn(
    "dockerd",
    [
      `--host=${host}`,
      `--config-file=${at("daemon.json")}`,
      `--data-root=${at("data")}`,
      `--exec-root=${at("run")}`,
      `--pidfile=${at("dockerd.pid")}`,
      `--cgroup-parent=/${cgroupOf(folder)}`,
      "--log-level=warn",
    ],
    { stdio: ["ignore", log, log] },
  );
  closeSync(log);
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      hasEnded = true;
      resolve();
    };
    daemon.once("exit", end).once("error", end);
  });
  const env = {
    ...process.env,
    DOCKER_HOST: host,
    ...(compose !== null && { DOCKER_CONFIG: at("config") }),
    // Images are built by the engine's own builder: BuildKit's client part is one more program, and its images are the same.
    DOCKER_BUILDKIT: "0",
  };
  await waitFor(
    async () => hasEnded || (await runs("docker", ["version"], env)),
    { what: "the container engine", timeoutMs: 60_000, everyMs: 200 },
  );
  if (hasEnded)
    throw new Error(
      `dockerd ended while it started:\n${readFileSync(at("dockerd.log"), "utf8").slice(-3000)}`,
    );
  return {
    host,
    env,
    docker: async (args, options = {}) =>
      (await run("docker", args, { ...options, env })).trimEnd(),
    stop: async () => {
      daemon.kill("SIGTERM");
      const force = setTimeout(() => daemon.kill("SIGKILL"), 30_000);
      await ended;
      clearTimeout(force);
    },
  };
}
