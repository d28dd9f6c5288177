/** The chart's values: what is refused, by which name, and that schema, defaults and documentation agree. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { isMap, parse, parseDocument, visit } from "yaml";
import { schemaOf, sharedSettings } from "../../scripts/chart/variables.ts";
import { CHART } from "./helm.ts";
import { run, valuesFile, type Ran } from "./render.ts";
import { helm, note, testWithHelm } from "./with-helm.ts";

testWithHelm(`every wrong value is refused at once, by its name${note}`, () => {
  const wrong: [set: string, sentence: string][] = [
    [
      "ingest.replica=3",
      "'/ingest': additional properties 'replica' not allowed",
    ],
    [
      "dispatcher.config.POSTRIDER_MAX_IN_FLIGHT=0",
      "'/dispatcher/config/POSTRIDER_MAX_IN_FLIGHT': minimum: got 0, want 1",
    ],
    [
      "dispatcher.config.POSTRIDER_TIERS=1s",
      "'/dispatcher/config': additional properties 'POSTRIDER_TIERS' not allowed",
    ],
    [
      "config.POSTRIDER_SESSION_TIMEOUT=30",
      "'/config/POSTRIDER_SESSION_TIMEOUT'",
    ],
    [
      "config.POSTRIDER_ADMIN_KEY=secret",
      "'/config': additional properties 'POSTRIDER_ADMIN_KEY' not allowed",
    ],
    [
      "config.POSTRIDER_ALLOW_CIDRS=10.0.0.0",
      "'/config/POSTRIDER_ALLOW_CIDRS'",
    ],
    ["kafka.brokers=kafka", "'/kafka/brokers'"],
    ["topics.kafka.brokers=kafka", "'/topics/kafka/brokers'"],
    ["kafka.sasl.mechanism=scram", "'/kafka/sasl/mechanism'"],
    ["clickhouse.url=clickhouse:8123", "'/clickhouse/url'"],
    [
      "migrations.clickhouse.url=clickhouse:8123",
      "'/migrations/clickhouse/url'",
    ],
    [
      "dispatcher.clickhouse.user=postrider",
      "'/dispatcher': additional properties 'clickhouse' not allowed",
    ],
    [
      "recorder.clickhouse.tenants.user=postrider_tenant",
      "'/recorder/clickhouse': additional properties 'tenants' not allowed",
    ],
    ["control.autoscaling.kind=keda", "'/control/autoscaling/kind'"],
    [
      "retryScheduler.autoscaling.kind=keda",
      "'/retryScheduler/autoscaling/kind'",
    ],
    [
      "defaults.terminationGracePeriodSeconds=30",
      "'/defaults/terminationGracePeriodSeconds': minimum: got 30, want 75",
    ],
    ["image.digest=sha256:abc", "'/image/digest'"],
    ["metrics.monitor=yes", "'/metrics/monitor'"],
    [
      "metrics.prometheusRule.runbookUrl=docs/operations.md",
      "'/metrics/prometheusRule/runbookUrl'",
    ],
  ];

  const ran = renderWith(...wrong.map(([set]) => set));

  expect(ran.ok).toBe(false);
  const unnamed = wrong.filter(
    ([, sentence]) => !ran.output.includes(sentence),
  );
  expect(unnamed).toEqual([]);
});

testWithHelm.each([
  ["kafka.brokers=", "kafka.brokers is empty"],
  ["clickhouse.url=", "clickhouse.url is empty"],
  [
    "clickhouse.url=http://postrider:secret@clickhouse:8123",
    "clickhouse.url has a user. Say it in clickhouse.user",
  ],
  [
    "control.clickhouse.url=http://postrider:secret@clickhouse:8123",
    "control.clickhouse.url has a user. Say it in control.clickhouse.user",
  ],
  [
    "secrets.adminKey.existingSecret=",
    "secrets.adminKey.existingSecret is empty",
  ],
  [
    "secrets.encryptionKeys.existingSecret=",
    "secrets.encryptionKeys.existingSecret is empty",
  ],
  ["kafka.sasl.mechanism=plain", "kafka.sasl.password.existingSecret is empty"],
  [
    "kafka.sasl.mechanism=plain,kafka.sasl.password.existingSecret=a",
    "kafka.sasl.username is empty",
  ],
  [
    "kafka.sasl.mechanism=oauthbearer",
    "kafka.sasl.oauth.clientSecret.existingSecret is empty",
  ],
  ["kafka.sasl.mechanism=aws-msk-iam", "kafka.sasl.aws.region is empty"],
  ["kafka.tls.ca.existingSecret=ca", "kafka.tls.enabled is false"],
  [
    "dispatcher.replicas=13",
    "dispatcher: 13 replicas, but its topics have 12 partitions (topics.partitions)",
  ],
  ["defaults.autoscaling.kind=keda", "retryScheduler.autoscaling.kind is keda"],
  ["ingest.httpRoute.enabled=true", "ingest.httpRoute.parentRefs is empty"],
  [
    "strimzi.enabled=true,strimzi.namespace=kafka",
    "Bring the one of postrider-ingest to default, and name it in ingest.kafka",
  ],
])("%s is refused: %s", (set, sentence) => {
  const ran = renderWith(set);

  expect(ran).toMatchObject({ ok: false });
  expect(ran.output).toContain(sentence);
});

function renderWith(...sets: readonly string[]): Ran {
  return run(
    helm,
    "template",
    "postrider",
    CHART,
    `--values=${valuesFile("minimal")}`,
    ...sets.map((set) => `--set=${set}`),
  );
}

testWithHelm("the values of docs/kubernetes.md are taken", () => {
  const page = readFileSync(
    new URL("../../docs/kubernetes.md", import.meta.url),
    "utf8",
  );
  const [, values = ""] =
    /`values\.yaml`:\n\n```yaml\n([^`]+)```/.exec(page) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "postrider-values-"));
  writeFileSync(join(folder, "values.yaml"), values);

  const ran = run(
    helm,
    "template",
    "postrider",
    CHART,
    `--values=${join(folder, "values.yaml")}`,
  );

  rmSync(folder, { recursive: true });
  expect(ran).toMatchObject({ ok: true });
  expect(ran.output).toContain("kind: KafkaUser");
});

test.each([
  ["POSTRIDER_TOPIC_PREFIX", ["postrider.", "a_b-c."], ["a b", ""]],
  ["POSTRIDER_CLICKHOUSE_DATABASE", ["events_1"], ["1events", "a-b"]],
  ["POSTRIDER_TIERS", ["1s", "500ms,1s,5m,1h"], ["1s;2s", "1d", ""]],
  [
    "POSTRIDER_ALLOW_CIDRS",
    ["10.0.0.0/8", "10.0.0.0/8, fd00::/8"],
    ["10.0.0.0/8;", "g/8", "10.0.0.0", ""],
  ],
])("%s: what the chart takes, the services take", (variable, good, bad) => {
  const entry = sharedSettings().get(variable)!;
  const pattern = new RegExp(schemaOf(entry)["pattern"] as string); // these have patterns of the chart's own

  for (const value of good) {
    expect(pattern.test(value)).toBe(true);
    expect(() => entry.parse(value)).not.toThrow();
  }
  expect(bad.filter((value) => pattern.test(value))).toEqual([]);
});

test("every value has a schema, and every default is written down", () => {
  const schema = parse(
    readFileSync(`${CHART}/values.schema.json`, "utf8"),
  ) as Schema;
  const values = parseDocument(readFileSync(`${CHART}/values.yaml`, "utf8"));
  const paths: string[] = [];
  visit(values, {
    Pair: (_, pair, ancestors) => {
      const parents = ancestors.flatMap((node) =>
        node !== null && typeof node === "object" && "key" in node
          ? [String(node.key)]
          : [],
      );
      if (!isMap(pair.value))
        paths.push([...parents, String(pair.key)].join("."));
      return undefined;
    },
  });

  const unknown = paths.filter((path) => !knows(schema, path.split(".")));

  expect(paths.length).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false;
}

/** A map of Kubernetes' own, of which the schema knows no more, knows everything below. */
function knows(schema: Schema, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined || schema.properties === undefined) return true;
  const below = schema.properties[key];
  return below !== undefined && knows(below, rest);
}
