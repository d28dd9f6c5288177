/** Starts what helm renders as processes, from the image's bundle: the containers' arguments, variables, mounted files and probes are those of the rendering. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { IContainer } from "kubernetes-models/v1/Container";
import { logTail, tied } from "@postrider/cli";
import { createPortPicker } from "@postrider/runtime";
import { waitFor } from "@postrider/testkit";
import type { Pods } from "./render.ts";

/** What is in a Secret's key. */
export type Secrets = (name: string, key: string) => string;

export interface Ended {
  readonly code: number | null;
  readonly log: string;
}

export interface StartedService {
  readonly component: string;
  readonly api: string;
  /** Resolves once the startup and the readiness probe have succeeded: to the status that the liveness probe gets. */
  ready(): Promise<number>;
  /** By SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

interface Started {
  readonly log: string;
  readonly exited: Promise<number | null>;
  hasExited(): boolean;
  stop(): Promise<number | null>;
}

const PROBES = ["startupProbe", "readinessProbe", "livenessProbe"] as const;

export class StartedPods {
  readonly #folder: string;
  readonly #bundle: string;
  readonly #secrets: Secrets;
  readonly #ports = createPortPicker();
  readonly #running: Started[] = [];

  /** Below `folder` come the bundle, which is built here, the mounted files and the logs. */
  constructor(folder: string, secrets: Secrets) {
    this.#folder = folder;
    this.#bundle = join(folder, "app");
    this.#secrets = secrets;
    const script = fileURLToPath(
      new URL("../../scripts/run.js", import.meta.url),
    );
    execFileSync(process.execPath, [script, "bundle", this.#bundle], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#running.map(async (each) => await each.stop()));
  }

  /** Starts a Deployment's container on ports of its own, as another pod would have an address of its own. */
  async startService(pods: Pods): Promise<StartedService> {
    const [container] = pods.spec.containers as [IContainer];
    const numbers = new Map<string, number>();
    for (const { name = "" } of container.ports ?? [])
      numbers.set(name, await this.#ports.pick(0));
    const url = (port: string): string =>
      `http://127.0.0.1:${numbers.get(port)}`;
    const [startup, readiness, liveness] = PROBES.map((which) => {
      const { port, path } = container[which]!.httpGet!;
      return url(String(port)) + path;
    }) as [string, string, string]; // one for each probe
    const env = {
      ...this.#environmentOf(pods, container),
      POSTRIDER_ADMIN_PORT: String(numbers.get("admin")),
      ...(numbers.has("http")
        ? { POSTRIDER_PORT: String(numbers.get("http")) }
        : {}),
    };
    const process = this.#begin(container.name, container.args ?? [], env);
    return {
      component: container.name,
      api: url("http"),
      async ready() {
        await probed(startup, process);
        await probed(readiness, process);
        return (await fetch(liveness)).status;
      },
      stop: async () => await process.stop(),
    };
  }

  /** Runs a container of a Job or of the test; Kubernetes' own variables are `env`. */
  async runToEnd(
    pods: Pods,
    {
      env = {},
      container = pods.spec.containers[0]!,
    }: {
      readonly env?: Readonly<Record<string, string>>;
      readonly container?: IContainer;
    } = {},
  ): Promise<Ended> {
    const all = { ...this.#environmentOf(pods, container), ...env };
    const args = (container.args ?? []).map((arg) =>
      arg.replace(/\$\((\w+)\)/g, (_, name: string) => all[name] ?? ""),
    );
    const process = this.#begin(
      `${pods.owner.metadata.name}-${container.name}`,
      args,
      all,
    );
    const code = await process.exited;
    return { code, log: readFileSync(process.log, "utf8") };
  }

  /** The container's variables as Kubernetes would fill them, and its mounted Secrets as files. */
  #environmentOf(pods: Pods, container: IContainer): Record<string, string> {
    const mounted = join(this.#folder, pods.owner.metadata.name);
    for (const { projected } of pods.spec.volumes ?? [])
      for (const { secret } of projected?.sources ?? [])
        for (const { key, path } of secret?.items ?? []) {
          mkdirSync(dirname(join(mounted, path)), { recursive: true });
          const text = this.#secrets(secret?.name ?? "", key);
          writeFileSync(join(mounted, path), text);
        }
    return Object.fromEntries(
      (container.env ?? []).map(({ name, value, valueFrom }) => {
        const from = valueFrom?.secretKeyRef;
        return [
          name,
          value?.replace("/etc/postrider", mounted) ??
            (from === undefined
              ? "uid-1"
              : this.#secrets(from.name ?? "", from.key)),
        ];
      }),
    );
  }

  /** Nothing of our own environment but PATH, as in a container. */
  #begin(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Started {
    const log = join(this.#folder, `${name}.log`);
    const [command, ...rest] = tied([
      process.execPath,
      join(this.#bundle, "postrider.js"),
      ...args,
    ]);
    const child = spawn(command, rest, {
      cwd: this.#folder,
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let code: number | null | undefined;
    let output = "";
    const collect = (chunk: Buffer): void => {
      output += String(chunk);
      writeFileSync(log, output);
    };
    writeFileSync(log, "");
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const exited = new Promise<number | null>((resolve) =>
      child.once("close", (ended) => resolve((code = ended))),
    );
    const started: Started = {
      log,
      exited,
      hasExited: () => code !== undefined,
      async stop() {
        if (code === undefined) child.kill("SIGTERM");
        return await exited;
      },
    };
    this.#running.push(started);
    return started;
  }
}

async function probed(url: string, process: Started): Promise<void> {
  await waitFor(
    async () => {
      if (process.hasExited()) return true;
      return (await fetch(url)).ok;
    },
    { timeoutMs: 200_000, everyMs: 100, what: url },
  );
  if (process.hasExited()) throw new Error(logTail(process.log));
}
