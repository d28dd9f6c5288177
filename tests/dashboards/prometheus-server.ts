/** A real Prometheus that has samples of every metric that the services declare: fifteen minutes, up to now. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@postrider/testkit";
import type { DeclaredMetric } from "../../scripts/metrics-of.ts";

export const HAS_PROMETHEUS = ["prometheus", "promtool"].every(
  (program) => spawnSync(program, ["--version"]).error === undefined,
);

export interface PrometheusServer {
  /** What an expression has at the end of the samples: a value for each series. */
  query(expr: string): Promise<readonly number[]>;
  stop(): Promise<void>;
}

const STEP_S = 15;
const STEPS = 60;

/** `values` has those of labels that are closed lists; every other label gets one. */
export async function startPrometheus(
  metrics: readonly DeclaredMetric[],
  values: Readonly<Record<string, readonly string[]>>,
): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), "postrider-prometheus-"));
  const to = Math.floor(Date.now() / 1_000);
  writeFileSync(join(folder, "samples.om"), samples(metrics, values, to));
  writeFileSync(join(folder, "prometheus.yml"), "scrape_configs: []\n");
  const made = spawnSync(
    "promtool",
    ["tsdb", "create-blocks-from", "openmetrics", "samples.om", "data"],
    { cwd: folder, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  const address = `127.0.0.1:${await freePort()}`;
  const server = spawn(
    "prometheus",
    [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      `--web.listen-address=${address}`,
      "--log.level=error",
    ],
    { cwd: folder, stdio: "ignore" },
  );
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`http://${address}/-/ready`).catch(() => null);
    return answer?.ok ?? false;
  };
  await waitFor(isReady, { what: "Prometheus is ready" });
  return {
    async query(expr) {
      const asked = new URLSearchParams({ query: expr, time: String(to) });
      const answer = await fetch(`http://${address}/api/v1/query`, {
        method: "POST",
        body: asked,
      });
      const body = (await answer.json()) as {
        error?: string;
        data?: { result: { value: [number, string] }[] };
      };
      if (body.data === undefined) throw new Error(`${body.error}: ${expr}`);
      return body.data.result.map(({ value: [, value] }) => Number(value));
    },
    async stop() {
      server.kill("SIGTERM");
      await once(server, "exit");
      rmSync(folder, { recursive: true });
    },
  };
}

function samples(
  metrics: readonly DeclaredMetric[],
  values: Readonly<Record<string, readonly string[]>>,
  to: number,
): string {
  const lines = metrics.flatMap((metric) =>
    labelSets(metric, values).flatMap((labels) => seriesOf(metric, labels, to)),
  );
  return `${lines.join("\n")}\n# EOF\n`;
}

/** Each with each. */
function labelSets(
  { services, labels }: DeclaredMetric,
  values: Readonly<Record<string, readonly string[]>>,
): string[] {
  let sets = services.map(
    (service) => `job="p",instance="i",service="${service}"`,
  );
  for (const label of labels)
    sets = sets.flatMap((set) =>
      (values[label] ?? ["x"]).map((value) => `${set},${label}="${value}"`),
    );
  return sets;
}

/** Counters rise by the same each time; of a histogram each bucket has a tenth more than the one before. */
function seriesOf(
  { name, kind, buckets }: DeclaredMetric,
  labels: string,
  to: number,
): string[] {
  const line = (series: string, set: string, of: (step: number) => number) =>
    Array.from(
      { length: STEPS },
      (_, step) =>
        `${series}{${set}} ${of(step)} ${to - (STEPS - 1 - step) * STEP_S}`,
    );
  switch (kind) {
    case "gauge":
      return line(name, labels, () => 1);
    case "counter":
      return line(name, labels, (step) => 10 * step);
    case "histogram":
      return [
        ...[...buckets, "+Inf"].flatMap((le, at) =>
          line(
            `${name}_bucket`,
            `${labels},le="${le}"`,
            (step) => (at + 1) * step,
          ),
        ),
        ...line(`${name}_count`, labels, (step) => (buckets.length + 1) * step),
        ...line(`${name}_sum`, labels, (step) => step),
      ];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  server.close();
  return port;
}
