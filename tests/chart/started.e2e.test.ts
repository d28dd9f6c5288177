/** What the chart says is what services accept: its Jobs, its services and its test are started as processes from the image's bundle, with the arguments, the variables, the mounted files and the probes that helm renders. */
import { execFileSync, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "@jest/globals";
import type { IContainer } from "kubernetes-models/v1/Container";
import { logTail, newKeys, tied } from "@postrider/cli";
import { createPortPicker } from "@postrider/runtime";
import { useStack, waitFor } from "@postrider/testkit";
import { podsOf, render, type Pods } from "./render.ts";
import { helm, note, testWithHelm } from "./with-helm.ts";

const stack = useStack();
const folder = mkdtempSync(join(tmpdir(), "postrider-chart-"));
const bundle = join(folder, "app");
const ports = createPortPicker();
const running: Started[] = [];

interface Started {
  readonly log: string;
  readonly exited: Promise<number | null>;
  hasExited(): boolean;
  stop(): Promise<number | null>;
}

beforeAll(() => {
  const script = fileURLToPath(
    new URL("../../scripts/run.js", import.meta.url),
  );
  execFileSync(process.execPath, [script, "bundle", bundle], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}, 120_000);
afterAll(async () => {
  await Promise.all(running.map(async (each) => await each.stop()));
  rmSync(folder, { recursive: true, force: true });
});

testWithHelm(
  `the Jobs run, each service becomes ready, and the test sees its event${note}`,
  async () => {
    const pods = podsOf(
      render(helm, "minimal", {
        args: [
          `--set=kafka.brokers=${stack.brokers.join("\\,")}`,
          `--set=clickhouse.url=${stack.clickhouseUrl}`,
          `--set=config.POSTRIDER_TOPIC_PREFIX=${stack.prefix}`,
          `--set=config.POSTRIDER_CLICKHOUSE_DATABASE=${stack.database}`,
          `--set=config.POSTRIDER_TIERS=1s`,
          `--set=topics.partitions=2`,
        ],
      }),
    );
    const secret: Secret = {
      "admin-key": "chart-admin",
      "encryption-keys": newKeys().encryptionKeys,
    };
    const kind = (name: string): Pods[] =>
      pods.filter(({ owner }) => owner.kind === name);

    for (const job of kind("Job"))
      expect({
        job: job.owner.metadata.name,
        ...(await runToEnd(job, secret)),
      }).toMatchObject({ code: 0 });
    const services = await Promise.all(
      kind("Deployment").map(async (each) => await startService(each, secret)),
    );
    for (const { startup, readiness, process } of services) {
      await probed(startup, process);
      await probed(readiness, process);
    }
    const api = (component: string): string =>
      services.find((each) => each.component === component)!.api;
    const [pod] = kind("Pod");
    const urls = {
      POSTRIDER_INGEST_URL: api("ingest"),
      POSTRIDER_CONTROL_URL: api("control"),
    };

    const published = await runToEnd(pod!, secret, {
      env: urls,
      container: pod!.spec.initContainers![0]!,
    });
    // Kubernetes runs the container again until it succeeds.
    const seen = await waitFor(
      async () => {
        const ran = await runToEnd(pod!, secret, { env: urls });
        return ran.code === 0 ? ran.log : null;
      },
      { timeoutMs: 60_000, what: "the row of the event" },
    );

    expect(published).toMatchObject({ code: 0 });
    expect(seen).toMatch(/helm-test-uid-1 +helm\.test +tenant helm-test/);
    const codes = await Promise.all(
      services.map(async ({ process }) => await process.stop()),
    );
    expect(codes).toEqual(services.map(() => 0));
  },
  300_000,
);

type Secret = Readonly<Record<string, string>>;

interface Service {
  readonly component: string;
  readonly api: string;
  readonly startup: string;
  readonly readiness: string;
  readonly process: Started;
}

/** Starts a Deployment's container on ports of its own, as another pod would have an address of its own. */
async function startService(pods: Pods, secret: Secret): Promise<Service> {
  const [container] = pods.spec.containers as [IContainer];
  const numbers = new Map<string, number>();
  for (const { name = "" } of container.ports ?? [])
    numbers.set(name, await ports.pick(0));
  const url = (port: string): string => `http://127.0.0.1:${numbers.get(port)}`;
  const probe = (which: "startupProbe" | "readinessProbe"): string => {
    const { port, path } = container[which]!.httpGet!;
    return url(String(port)) + path;
  };
  const env = {
    ...environmentOf(pods, container, secret),
    POSTRIDER_ADMIN_PORT: String(numbers.get("admin")),
    ...(numbers.has("http")
      ? { POSTRIDER_PORT: String(numbers.get("http")) }
      : {}),
  };
  return {
    component: container.name,
    api: url("http"),
    startup: probe("startupProbe"),
    readiness: probe("readinessProbe"),
    process: begin(container.name, container.args ?? [], env),
  };
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

async function runToEnd(
  pods: Pods,
  secret: Secret,
  {
    env = {},
    container = pods.spec.containers[0]!,
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly container?: IContainer;
  } = {},
): Promise<{ code: number | null; log: string }> {
  const all = { ...environmentOf(pods, container, secret), ...env };
  const args = (container.args ?? []).map((arg) =>
    arg.replace(/\$\((\w+)\)/g, (_, name: string) => all[name] ?? ""),
  );
  const process = begin(
    `${pods.owner.metadata.name}-${container.name}`,
    args,
    all,
  );
  const code = await process.exited;
  return { code, log: readFileSync(process.log, "utf8") };
}

/** The container's variables as Kubernetes would fill them, and its mounted Secrets as files. */
function environmentOf(
  pods: Pods,
  container: IContainer,
  secret: Secret,
): Record<string, string> {
  const mounted = join(folder, pods.owner.metadata.name);
  for (const { projected } of pods.spec.volumes ?? [])
    for (const { key, path } of (projected?.sources ?? []).flatMap(
      (source) => source.secret?.items ?? [],
    )) {
      mkdirSync(dirname(join(mounted, path)), { recursive: true });
      writeFileSync(join(mounted, path), secret[key] ?? "");
    }
  return Object.fromEntries(
    (container.env ?? []).map(({ name, value, valueFrom }) => [
      name,
      value?.replace("/etc/postrider", mounted) ??
        (valueFrom?.secretKeyRef === undefined
          ? "uid-1"
          : (secret[valueFrom.secretKeyRef.key] ?? "")),
    ]),
  );
}

/** Nothing of our own environment but PATH, as in a container. */
function begin(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Started {
  const log = join(folder, `${name}.log`);
  const [command, ...rest] = tied([
    process.execPath,
    join(bundle, "postrider.js"),
    ...args,
  ]);
  const child = spawn(command, rest, {
    cwd: folder,
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
  running.push(started);
  return started;
}
