/**
 * Every metric of every service, asked from the code itself: each service is composed, as at its start, with a meter that
 * notes what is declared. Nothing is started, so no Kafka and no ClickHouse is needed.
 */
import {
  createProcessGauges,
  noTracer,
  systemClock,
  type Composition,
  type Effects,
  type Env,
  type Meter,
} from "../packages/runtime/src/index.ts";
import * as control from "../services/control/src/index.ts";
import * as dispatcher from "../services/dispatcher/src/index.ts";
import * as ingest from "../services/ingest/src/index.ts";
import * as recorder from "../services/recorder/src/index.ts";
import * as retryScheduler from "../services/retry-scheduler/src/index.ts";

export interface DeclaredMetric {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Without `service`, which every metric has. */
  readonly labels: readonly string[];
  /** The upper bounds of a histogram's buckets, in the metric's unit. */
  readonly buckets: readonly number[];
  /** The services that have it, in the order of the flow. */
  readonly services: readonly string[];
}

/** What every service needs; none of these addresses is ever connected to. */
const ENV: Env = {
  KAFKA_BROKERS: "127.0.0.1:9",
  CLICKHOUSE_URL: "http://127.0.0.1:9",
  POSTRIDER_ADMIN_KEY: "key",
  POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString("base64")}`,
};

const SERVICES: Readonly<
  Record<string, (effects: Effects) => Composition | Promise<Composition>>
> = {
  ingest: (effects) => ingest.compose(ingest.readIngestConfig(ENV), effects),
  dispatcher: (effects) =>
    dispatcher.compose(dispatcher.readDispatcherConfig(ENV), effects),
  "retry-scheduler": (effects) =>
    retryScheduler.compose(
      retryScheduler.readRetrySchedulerConfig(ENV),
      effects,
    ),
  recorder: (effects) =>
    recorder.compose(recorder.readRecorderConfig(ENV), effects),
  control: (effects) =>
    control.compose(control.readControlConfig(ENV), effects),
};

/** By name. Throws if two services declare one name differently. */
export async function declaredMetrics(): Promise<DeclaredMetric[]> {
  const found = new Map<string, DeclaredMetric>();
  for (const [service, compose] of Object.entries(SERVICES)) {
    const meter = notingMeter(service, found);
    await compose({ log: SILENT, meter, clock: systemClock, tracer: noTracer });
    createProcessGauges(meter, () => true).stop();
  }
  return [...found.values()]
    .map(withControlsStage)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Control makes the runner of its stage only while it is the writer of endpoints, so composing it does not declare the runner's metrics, which all services with a runner have. */
function withControlsStage(metric: DeclaredMetric): DeclaredMetric {
  if (!metric.labels.includes("stage") || metric.services.length === 1)
    return metric;
  return { ...metric, services: [...metric.services, "control"] };
}

const nothing = (): void => undefined;
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function notingMeter(
  service: string,
  found: Map<string, DeclaredMetric>,
): Meter {
  const note = (declared: Omit<DeclaredMetric, "services">): void => {
    const known = found.get(declared.name);
    const { services = [], ...before } = known ?? {};
    if (
      known !== undefined &&
      JSON.stringify(before) !== JSON.stringify(declared)
    )
      throw new Error(`${declared.name} is declared in two ways`);
    const all = [...new Set([...services, service])];
    found.set(declared.name, { ...declared, services: all });
  };
  return {
    counter(name, help, labels = []) {
      note({ name, kind: "counter", help, labels, buckets: [] });
      return { inc: nothing };
    },
    gauge(name, help, labels = []) {
      note({ name, kind: "gauge", help, labels, buckets: [] });
      return { set: nothing };
    },
    histogram(name, help, buckets, labels = []) {
      note({ name, kind: "histogram", help, labels, buckets });
      return { observe: nothing };
    },
  };
}
