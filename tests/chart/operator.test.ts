/** What an operator can do to the chart that must not hurt: each was a fault once. */
import { expect } from "@jest/globals";
import {
  podsOf,
  render,
  run,
  valuesFile,
  MATRIX,
  type ChartObject,
} from "./render.ts";
import { CHART } from "./helm.ts";
import { helm, note, rendering, testWithHelm } from "./with-helm.ts";

interface Peer {
  readonly ipBlock?: { readonly cidr: string; readonly except?: string[] };
}

interface Rule {
  readonly ports?: readonly { readonly port: number }[];
  readonly to?: readonly Peer[];
}

const set = (...values: readonly string[]): { args: string[] } => ({
  args: values.map((value) => `--set=${value}`),
});

testWithHelm(
  `Strimzi: no compacted topic moves with topics.partitions${note}`,
  () => {
    const [few, many] = [4, 48].map((count) =>
      partitions(render(helm, "strimzi", grown(count))),
    );

    const moved = [...few!.keys()].filter(
      (topic) => few!.get(topic)!.count !== many!.get(topic)!.count,
    );
    expect(moved).toContain("postrider.deliveries");
    expect(moved.filter((topic) => few!.get(topic)!.isCompacted)).toEqual([]);
    expect(few!.get("postrider.endpoints")!.count).toBe(12);
  },
);

testWithHelm(
  "the dispatcher reaches port 80 and 443 inside of the network only where a place is named",
  () => {
    const args = [
      "schemaRegistry.url=https://registry.example.com",
      "config.OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.observability.svc",
      "kafka.brokers=kafka.example.com:443\\,kafka.example.com:9092",
    ];

    const open = dispatcherRules(render(helm, "oauth", set(...args)))
      .filter(({ to }) => to === undefined)
      .flatMap(({ ports = [] }) => ports.map(({ port }) => port));
    const named = dispatcherRules(
      render(
        helm,
        "oauth",
        set(
          ...args,
          ...["kafka.to", "signInTo", "tracesTo", "schemaRegistryTo"].map(
            (place) => `networkPolicy.${place}[0].ipBlock.cidr=10.9.0.0/16`,
          ),
        ),
      ),
    ).filter(({ to }) => to?.[0]?.ipBlock?.cidr === "10.9.0.0/16");

    expect(open).toEqual([53, 53, 9092]);
    expect(named.map(({ ports = [] }) => ports[0]?.port)).toEqual([
      443, 443, 443, 80,
    ]);
  },
);

testWithHelm.each([
  ["10.0.0.0/8", "10.1.0.0/16", ["10.0.0.0/8 except 10.1.0.0/16"]],
  ["10.0.0.0/8", "10.0.0.0/8", []],
  ["10.1.0.0/16\\,10.9.0.0/16", "10.0.0.0/13", ["10.9.0.0/16"]],
  ["10.1.0.0/16", "192.168.0.0/16", ["10.1.0.0/16"]],
  ["10.1.0.0/16", "0.0.0.0/0", []],
])("allowed %s, denied %s: what is left", (allowed, denied, left) => {
  const blocks = internet(
    set(
      `config.POSTRIDER_ALLOW_CIDRS=${allowed}`,
      `config.POSTRIDER_DENY_CIDRS=${denied}`,
    ),
  );

  expect(blocks.filter((block) => block.startsWith("10."))).toEqual(left);
});

testWithHelm.each(["0.0.0.0/0", "2000::/3", "::/0"])(
  "denied %s: its block is left out, for an exception must be smaller than its block",
  (denied) => {
    const blocks = internet(set(`config.POSTRIDER_DENY_CIDRS=${denied}`));

    expect(blocks).toHaveLength(1);
    expect(blocks[0]).toMatch(denied.includes(":") ? /^0\.0/ : /^2000:/);
  },
);

testWithHelm("KEDA knows every way to sign in", () => {
  // Of KEDA's documentation of the scaler `kafka`.
  const mechanisms = [
    "none",
    "plaintext",
    "scram_sha256",
    "scram_sha512",
    "gssapi",
    "oauthbearer",
  ];
  const triggers = MATRIX.flatMap((name) => rendering(name))
    .filter(({ kind }) => kind === "ScaledObject")
    .flatMap(({ spec }) => (spec as Scaled).triggers)
    .map(({ metadata }) => metadata);

  expect(
    triggers.filter(({ sasl = "none" }) => !mechanisms.includes(sasl)),
  ).toEqual([]);
  expect(
    new Set(triggers.map((each) => each.saslTokenProvider).filter(Boolean)),
  ).toEqual(new Set(["bearer", "aws_msk_iam"]));
});

interface Scaled {
  readonly triggers: readonly {
    readonly metadata: {
      readonly sasl?: string;
      readonly saslTokenProvider?: string;
    };
  }[];
}

testWithHelm("a variable of extraEnv replaces the chart's, everywhere", () => {
  const pods = podsOf(
    render(
      helm,
      "minimal",
      set(
        "defaults.extraEnv[0].name=KAFKA_BROKERS",
        "defaults.extraEnv[0].value=other:9092",
        "defaults.extraEnv[1].name=POSTRIDER_ADMIN_PORT",
        "defaults.extraEnv[1].value=9500",
      ),
    ),
  );
  const names = pods.flatMap(({ owner, spec }) =>
    spec.containers.flatMap(({ env = [] }) =>
      env.map(({ name, value }) => ({
        owner: owner.metadata.name,
        name,
        value,
      })),
    ),
  );
  const twice = names.filter(
    (one, at) =>
      names.findIndex(
        ({ owner, name }) => owner === one.owner && name === one.name,
      ) !== at,
  );

  expect(twice).toEqual([]);
  expect(
    new Set(
      names
        .filter(({ name }) => name === "KAFKA_BROKERS")
        .map(({ value }) => value),
    ),
  ).toEqual(new Set(["other:9092"]));
});

testWithHelm("a pod that is not ready holds up no drain", () => {
  const budgets = rendering("minimal").filter(
    ({ kind }) => kind === "PodDisruptionBudget",
  );

  expect(budgets).toHaveLength(5);
  for (const { spec } of budgets)
    expect(spec).toMatchObject({ unhealthyPodEvictionPolicy: "AlwaysAllow" });
});

testWithHelm("a release's name has no dot", () => {
  const ran = run(
    helm,
    "template",
    "a.b",
    CHART,
    `--values=${valuesFile("minimal")}`,
  );

  expect(ran.ok).toBe(false);
  expect(ran.output).toContain(
    "its database and that of a-b would be the same",
  );
});

function grown(count: number): { args: string[] } {
  return set(
    `topics.partitions=${count}`,
    "defaults.replicas=2",
    "dispatcher.autoscaling.maxReplicas=4",
  );
}

function partitions(
  objects: readonly ChartObject[],
): Map<string, { count: number; isCompacted: boolean }> {
  const topics = objects
    .filter(({ kind }) => kind === "KafkaTopic")
    .map(
      ({ spec }) =>
        spec as {
          topicName: string;
          partitions: number;
          config: Record<string, string>;
        },
    ); // a KafkaTopic's spec
  return new Map(
    topics.map(({ topicName, partitions: count, config }) => [
      topicName,
      { count, isCompacted: config["cleanup.policy"] === "compact" },
    ]),
  );
}

function dispatcherRules(objects: readonly ChartObject[]): readonly Rule[] {
  const policy = objects.find(
    ({ kind, metadata }) =>
      kind === "NetworkPolicy" && metadata.name === "postrider-dispatcher",
  );
  return (policy!.spec as { egress: readonly Rule[] }).egress;
}

/** The receivers' blocks, each as `cidr except range range`. Exceptions of the whole internet are not shown. */
function internet(options: { args: string[] }): string[] {
  return dispatcherRules(render(helm, "minimal", options))
    .filter(({ ports }) => ports === undefined)
    .flatMap(({ to = [] }) => to)
    .map(({ ipBlock }) => {
      const { cidr, except = [] } = ipBlock!;
      return except.length === 0 ? cidr : `${cidr} except ${except.join(" ")}`;
    });
}
