/** The chart's values: what is refused, by which name, and that schema, defaults and documentation agree. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { isMap, parse, parseDocument, visit } from "yaml";
import { schemaOf, sharedSettings } from "../../scripts/chart/variables.ts";
import { DEFAULT_TIMEOUT_MS } from "../../services/control/src/endpoints/endpoint-input.ts";
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

const pageOf = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const kubernetes = pageOf("kubernetes.md");
/** The values of the page, and what it shows to add to them. */
const blocks = [...kubernetes.matchAll(/^```yaml\n([^`]+)^```/gm)]
  .map(([, text = ""]) => text)
  .filter((text) => !text.startsWith("apiVersion:"));
const [, pageValues = ""] =
  /`values\.yaml`:\n\n```yaml\n([^`]+)```/.exec(kubernetes) ?? [];

/** `helm template` as docs/kubernetes.md has it, with values as texts. */
function renderPage(...values: readonly string[]): Ran {
  const folder = mkdtempSync(join(tmpdir(), "postrider-values-"));
  try {
    const files = values.map((text, at) => {
      const file = join(folder, `${at}.yaml`);
      writeFileSync(file, text);
      return `--values=${file}`;
    });
    const args = ["template", "postrider", CHART, "--namespace=events"];
    return run(helm, ...args, ...files);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

testWithHelm(
  "docs/kubernetes.md tells how many objects of each kind its values make",
  () => {
    const ran = renderPage(pageValues);

    expect(ran).toMatchObject({ ok: true });
    const kinds = [...ran.output.matchAll(/^kind.*$/gm)].map(([line]) => line);
    const counted = [...Map.groupBy(kinds, (line) => line)]
      .map(([line, all]) => `${String(all.length).padStart(7)} ${line}`)
      .toSorted((one, other) => (one.slice(8) < other.slice(8) ? -1 : 1));
    expect(counted).toContain("      5 kind: KafkaUser");
    expect(kubernetes).toContain(
      `uniq --count\n\`\`\`\n\n\`\`\`text\n${counted.join("\n")}\n\`\`\`\n`,
    );
  },
);

testWithHelm(
  "what docs/kubernetes.md shows to add to its values is taken",
  () => {
    const refused = blocks
      .map((block) => renderPage(pageValues, block))
      .filter(({ ok }) => !ok);

    expect(blocks.length).toBeGreaterThan(4);
    expect(blocks).toContain(pageValues);
    expect(refused).toEqual([]);
  },
);

test("KEDA adds replicas at the lag that the runbook tells, and the dispatcher's is no lag of one attempt that hangs", () => {
  const values = parse(readFileSync(`${CHART}/values.yaml`, "utf8")) as Record<
    string,
    { readonly autoscaling?: { readonly lagThreshold: number } }
  >;
  const runbook = pageOf("operations.md");
  const [byMetrics = "", byLag = ""] = runbook
    .slice(runbook.indexOf("\n## Scaling\n"))
    .split("### Scaling by the group's lag");
  const thresholds = Object.fromEntries(
    ["ingest", "dispatcher", "recorder"].map((name) => [
      name,
      (values[name]?.autoscaling ?? values["defaults"]!.autoscaling!)
        .lagThreshold,
    ]),
  );

  const [, rate, seconds] =
    /^\| dispatcher +\|.*\| ([\d,]+) attempts a second × (\d+) s/m.exec(
      byLag,
    ) ?? [];
  expect(numbersOf(byLag, /^\| (\w+) +\| ([\d,]+) +\|/gm)).toEqual(thresholds);
  expect(
    numbersOf(byMetrics, /^\| (ingest|recorder)\b.*` +\| ([\d,]+) +\|/gm),
  ).toEqual({
    ingest: thresholds["ingest"],
    recorder: thresholds["recorder"],
  });
  expect(Number(seconds) * 1000).toBe(DEFAULT_TIMEOUT_MS);
  expect(thresholds["dispatcher"]).toBeGreaterThan(
    numberOf(rate!) * Number(seconds),
  );
  expect(kubernetes).toContain(
    `${thresholds["ingest"]!.toLocaleString("en")}, and ${thresholds["dispatcher"]!.toLocaleString("en")} for the dispatcher`,
  );
});

const numberOf = (text: string): number => Number(text.replaceAll(",", ""));

/** By the first group of each match, the second as a number. */
function numbersOf(text: string, pattern: RegExp): Record<string, number> {
  return Object.fromEntries(
    [...text.matchAll(pattern)].map(([, name = "", value = ""]) => [
      name,
      numberOf(value),
    ]),
  );
}

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
