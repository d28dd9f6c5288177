/** The chart's values.schema.json: types from values.yaml itself, ranges from the services' configuration, and the few that neither says. */
import {
  isMap,
  isScalar,
  isSeq,
  type Document,
  type Node,
  type Pair,
} from "yaml";
import { SOURCE_FORMATS } from "../../packages/core/src/index.ts";
import type {
  ConfigSpec,
  JsonSchema,
} from "../../packages/runtime/src/index.ts";
import { migrateSpec } from "../../services/recorder/src/config.ts";
import {
  entryOf,
  ownSettings,
  schemaOf,
  SERVICE_SPECS,
  sharedSettings,
} from "./variables.ts";

/** The key of a service's block: `retry-scheduler` is `retryScheduler`. */
export function keyOf(service: string): string {
  return service.replace(/-(.)/, (_, letter: string) => letter.toUpperCase());
}

/** Values that stand for a variable; empty means that the variable is not set. */
const VARIABLES: Readonly<Record<string, string>> = {
  "kafka.brokers": "KAFKA_BROKERS",
  "kafka.sasl.mechanism": "KAFKA_SASL_MECHANISM",
  "kafka.sasl.oauth.tokenUrl": "KAFKA_OAUTH_TOKEN_URL",
  "schemaRegistry.url": "SCHEMA_REGISTRY_URL",
  "clickhouse.url": "CLICKHOUSE_URL",
};

const INT_OR_PERCENT = {
  anyOf: [
    { type: "integer", minimum: 0 },
    { type: "string", pattern: "^[0-9]{1,3}%$" },
  ],
};
const TEXTS = { type: "object", additionalProperties: { type: "string" } };
/** Labels of the user's: those that selectors are made of are the chart's own, and what a selector says cannot change. */
const LABELS = {
  ...TEXTS,
  propertyNames: {
    not: { pattern: "^app\\.kubernetes\\.io/(name|instance|component)$" },
  },
};
/** Part of the names of Services, which begin with a letter. */
const NAME = {
  type: "string",
  pattern: "^([a-z]([a-z0-9-]*[a-z0-9])?)?$",
  maxLength: 63,
};
const PATHS = { type: "array", items: { type: "string", pattern: "^/" } };
const HOSTS = {
  type: "array",
  items: {
    type: "object",
    required: ["host"],
    additionalProperties: false,
    properties: { host: { type: "string", minLength: 1 }, paths: PATHS },
  },
};
const COUNT = { type: "integer", minimum: 1 };
/** Where a field of a source's event comes from: one of three. What the texts must be ingest says at its start. */
const SOURCE_FIELD = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  properties: {
    literal: { type: "string" },
    header: { type: "string" },
    path: { type: "string" },
  },
};
const SOURCES = {
  type: "array",
  items: {
    type: "object",
    additionalProperties: false,
    required: ["topic", "format", "tenantId", "type"],
    properties: {
      topic: { type: "string", pattern: "^[A-Za-z0-9._-]{1,200}$" },
      format: { enum: SOURCE_FORMATS },
      tenantId: SOURCE_FIELD,
      type: SOURCE_FIELD,
      id: SOURCE_FIELD,
      payload: SOURCE_FIELD,
      contentType: { type: "string" },
    },
  },
};

/** What a default does not show, by the path; in a service's block the path begins with `defaults`. */
const RANGES: Readonly<Record<string, JsonSchema>> = {
  nameOverride: NAME,
  fullnameOverride: NAME,
  "image.repository": { type: "string", minLength: 1 },
  "image.digest": {
    type: "string",
    pattern: "^(sha256:[0-9a-f]{64})?$",
  },
  "image.pullPolicy": { enum: ["Always", "IfNotPresent", "Never"] },
  commonLabels: LABELS,
  commonAnnotations: TEXTS,
  "topics.partitions": { type: "integer", minimum: 1, maximum: 1000 },
  "strimzi.topics.tablePartitions": {
    type: "integer",
    minimum: 1,
    maximum: 1000,
  },
  "jobs.annotations": TEXTS,
  "jobs.ttlSecondsAfterFinished": { type: ["integer", "null"], minimum: 0 },
  "serviceAccount.annotations": TEXTS,
  "defaults.strategy.type": { enum: ["RollingUpdate", "Recreate"] },
  "defaults.strategy.rollingUpdate.maxUnavailable": INT_OR_PERCENT,
  "defaults.strategy.rollingUpdate.maxSurge": INT_OR_PERCENT,
  "defaults.terminationGracePeriodSeconds": { type: "integer", minimum: 75 },
  "defaults.podDisruptionBudget.maxUnavailable": INT_OR_PERCENT,
  "defaults.autoscaling.kind": { enum: ["none", "keda", "hpa"] },
  "retryScheduler.autoscaling.kind": { enum: ["none", "hpa"] },
  "control.autoscaling.kind": { enum: ["none", "hpa"] },
  "defaults.autoscaling.minReplicas": COUNT,
  "defaults.autoscaling.maxReplicas": COUNT,
  "defaults.autoscaling.lagThreshold": COUNT,
  "defaults.autoscaling.targetCPUUtilizationPercentage": {
    type: "integer",
    minimum: 1,
    maximum: 100,
  },
  "defaults.nodeSelector": TEXTS,
  "defaults.podAnnotations": TEXTS,
  "defaults.podLabels": LABELS,
  "defaults.serviceAccount.annotations": TEXTS,
  "ingest.sources": SOURCES,
  "ingest.service.type": { enum: ["ClusterIP", "NodePort", "LoadBalancer"] },
  "control.service.type": { enum: ["ClusterIP", "NodePort", "LoadBalancer"] },
  "ingest.ingress.hosts": HOSTS,
  "control.ingress.hosts": HOSTS,
  "ingest.httpRoute.paths": PATHS,
  "control.httpRoute.paths": PATHS,
  "metrics.monitor": { enum: ["none", "PodMonitor", "ServiceMonitor"] },
  "metrics.labels": TEXTS,
  "metrics.prometheusRule.runbookUrl": {
    type: "string",
    pattern: "^(https?://[^\\s#]+)?$",
  },
  "metrics.dashboards.labels": TEXTS,
  "metrics.dashboards.annotations": TEXTS,
  "strimzi.users.authentication": { enum: ["scram-sha-512", "tls"] },
};

/** Maps that Kubernetes defines: what is in them is not ours to judge. */
const FREE = new Set([
  "defaults.resources",
  "defaults.dnsConfig",
  "defaults.podSecurityContext",
  "defaults.containerSecurityContext",
  "defaults.startupProbe",
  "defaults.livenessProbe",
  "defaults.readinessProbe",
  "defaults.autoscaling.behavior",
  "jobs.resources",
]);

export function valuesSchema(values: Document): JsonSchema {
  const root = properties(values.contents, "");
  const defaults = root["defaults"]!;
  const kafka = root["kafka"]!;
  const clickhouse = root["clickhouse"]!;
  const own = Object.fromEntries(
    Object.keys(SERVICE_SPECS).map((service) => [
      keyOf(service),
      serviceSchema(service, root[keyOf(service)]!, {
        defaults,
        kafka,
        clickhouse: clickhouseOf(SERVICE_SPECS[service]!, clickhouse),
      }),
    ]),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the chart postrider",
    ...closed({
      ...root,
      config: settings(sharedSettings()),
      topics: withBlock(root["topics"]!, { kafka }),
      migrations: withBlock(root["migrations"]!, {
        clickhouse: clickhouseOf(migrateSpec, clickhouse)!,
      }),
      jobs: merged(defaults, root["jobs"]!),
      defaults: merged(defaults, closed({ config: { maxProperties: 0 } })),
      ...own,
      // Helm itself sets it, for charts inside of charts.
      global: { type: "object" },
    }),
  };
}

function serviceSchema(
  service: string,
  own: JsonSchema,
  blocks: {
    readonly defaults: JsonSchema;
    readonly kafka: JsonSchema;
    readonly clickhouse: JsonSchema | undefined;
  },
): JsonSchema {
  const { defaults, kafka, clickhouse } = blocks;
  const kind = RANGES[`${keyOf(service)}.autoscaling.kind`];
  const narrowed =
    kind === undefined ? closed({}) : closed({ autoscaling: closed({ kind }) });
  const config = closed({ config: settings(ownSettings(service)) });
  return withBlock(merged(merged(merged(defaults, own), narrowed), config), {
    kafka,
    ...(clickhouse !== undefined && { clickhouse }),
  });
}

/** What differs from `clickhouse` for one component: nothing where it has no ClickHouse, and the tenants' user only where it asks as that. */
function clickhouseOf(
  spec: ConfigSpec,
  clickhouse: JsonSchema,
): JsonSchema | undefined {
  const has = (variable: string): boolean =>
    Object.values(spec).some(({ env }) => env === variable);
  if (!has("CLICKHOUSE_URL")) return undefined;
  const { tenants, ...rest } = propertiesOf(clickhouse);
  return closed({
    ...rest,
    ...(has("CLICKHOUSE_TENANT_USER") && { tenants: tenants! }),
  });
}

function settings(entries: ReturnType<typeof sharedSettings>): JsonSchema {
  return closed(
    Object.fromEntries(
      [...entries].map(([env, entry]) => [env, schemaOf(entry)]),
    ),
  );
}

/** With schemas of its own for connections that differ from those at the top. */
function withBlock(
  block: JsonSchema,
  connections: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  return closed({ ...propertiesOf(block), ...connections }, block);
}

function closed(
  all: Readonly<Record<string, JsonSchema>>,
  more: JsonSchema = {},
): JsonSchema {
  return {
    ...more,
    type: "object",
    additionalProperties: false,
    properties: all,
  };
}

function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> {
  return (schema["properties"] ?? {}) as Record<string, JsonSchema>; // only `closed` makes properties
}

/** The second schema over the first, key by key. */
function merged(under: JsonSchema, over: JsonSchema): JsonSchema {
  const all = { ...propertiesOf(under) };
  for (const [key, schema] of Object.entries(propertiesOf(over))) {
    const before = all[key];
    const areMaps =
      before?.["properties"] !== undefined &&
      schema["properties"] !== undefined;
    all[key] = areMaps ? merged(before, schema) : schema;
  }
  return closed(all, { ...under, ...over });
}

function properties(node: unknown, path: string): Record<string, JsonSchema> {
  if (!isMap(node)) throw new Error(`values.yaml: ${path} is not a map`);
  return Object.fromEntries(
    (node.items as Pair<Node, Node>[]).map((pair) => {
      const key = String(pair.key);
      return [key, inferred(pair.value, path === "" ? key : `${path}.${key}`)];
    }),
  );
}

/** The schema of a value from its default. */
function inferred(node: Node | null, path: string): JsonSchema {
  const [first = "", ...rest] = path.split(".");
  const isOfService = Object.keys(SERVICE_SPECS).map(keyOf).includes(first);
  const general = isOfService ? ["defaults", ...rest].join(".") : path;
  const range = RANGES[path] ?? RANGES[general];
  if (range !== undefined) return range;
  const variable = VARIABLES[path];
  if (variable !== undefined) return orEmpty(schemaOf(entryOf(variable)!));
  if (FREE.has(general)) return { type: "object" };
  if (isSeq(node)) return { type: "array" };
  if (isMap(node))
    return node.items.length === 0
      ? { type: "object" }
      : closed(properties(node, path));
  if (isScalar(node)) return scalar(node.value, path);
  throw new Error(`values.yaml: ${path} has no default`);
}

function scalar(value: unknown, path: string): JsonSchema {
  if (typeof value === "boolean") return { type: "boolean" };
  if (typeof value === "number") return { type: "integer", minimum: 0 };
  if (typeof value === "string") return { type: "string" };
  throw new Error(`values.yaml: ${path} has no default`);
}

function orEmpty(schema: JsonSchema): JsonSchema {
  return { anyOf: [{ const: "" }, schema] };
}
