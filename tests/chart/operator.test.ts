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
import type { IKafkaUser } from "./strimzi.ts";
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

testWithHelm.each([["config"], ["control.config"]])(
  "Strimzi: control may write events where operational events are on in %s, and not otherwise",
  (place) => {
    const on = set(`${place}.POSTRIDER_OPERATIONS_TENANT=operations`);

    const without = writtenBy("control", rendering("strimzi"));
    expect(without).not.toContain("postrider.events");
    const written = writtenBy("control", render(helm, "strimzi", on));
    expect(written.toSorted()).toEqual(
      [...without, "postrider.events"].toSorted(),
    );
    expect(without).toContain("postrider.signals");
    expect(writtenBy("recorder", render(helm, "strimzi", on))).not.toContain(
      "postrider.events",
    );
  },
);

/** The topics that the service's user may write. */
function writtenBy(service: string, objects: ChartObject[]): string[] {
  const user = objects.find(
    ({ kind, metadata }) =>
      kind === "KafkaUser" && metadata.name.endsWith(`-${service}`),
  );
  const { spec } = user as unknown as IKafkaUser; // its kind says so
  return (spec.authorization?.acls ?? [])
    .filter(({ operations = [] }) => operations.includes("Write"))
    .flatMap(({ resource: { type, name = "" } }) =>
      type === "topic" ? [name] : [],
    );
}

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

testWithHelm.each([
  ["fd00:1::/32", "fd00:2::/32", false],
  ["fd12::/16", "fc00::/7", false],
  ["fd00::/8", "2600::/16", true],
  ["fd00::/16", "fe00::/16", true],
])("allowed %s, denied %s: apart is %s", (allowed, denied, areApart) => {
  const rendered = (): string[] =>
    internet(
      set(
        `config.POSTRIDER_ALLOW_CIDRS=${allowed}`,
        `config.POSTRIDER_DENY_CIDRS=${denied}`,
      ),
    );

  if (areApart) expect(rendered()).toContain(allowed);
  else expect(rendered).toThrow(/which may overlap/);
});

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

testWithHelm.each([
  ["POSTRIDER_ADMIN_KEY", "POSTRIDER_ADMIN_KEY_FILE"],
  ["CLICKHOUSE_URL_FILE", "CLICKHOUSE_URL"],
])("with %s in extraEnv no pod has the chart's %s", (given, left) => {
  const names = podsOf(
    render(
      helm,
      "minimal",
      set(
        `defaults.extraEnv[0].name=${given}`,
        "defaults.extraEnv[0].value=other",
      ),
    ),
  ).flatMap(({ spec }) =>
    spec.containers.flatMap(({ env = [] }) => env.map(({ name }) => name)),
  );

  expect(names.filter((name) => name === given)).toHaveLength(8);
  expect(names).not.toContain(left);
});

testWithHelm(
  "a Deployment with an autoscaler says no number of replicas",
  () => {
    const kinds = ["keda", "hpa", "none"];

    const saying = kinds.map((kind) =>
      render(helm, "minimal", set(`dispatcher.autoscaling.kind=${kind}`))
        .filter(({ kind: each }) => each === "Deployment")
        .filter(({ spec }) => "replicas" in (spec as object))
        .map(({ metadata }) => metadata.name),
    );

    expect(saying.map((names) => names.length)).toEqual([4, 4, 5]);
    expect(saying[0]).not.toContain("postrider-dispatcher");
  },
);

testWithHelm(
  "an alert's runbook_url is an address, or the alert has none",
  () => {
    const url = "https://git.example.com/docs/operations.md";
    const annotations = ["", url].map((runbookUrl) =>
      alerts(
        render(
          helm,
          "minimal",
          set(
            "metrics.prometheusRule.enabled=true",
            `metrics.prometheusRule.runbookUrl=${runbookUrl}`,
          ),
        ),
      ),
    );

    for (const alert of annotations[0]!) {
      expect(alert["runbook_url"]).toBeUndefined();
      expect(alert["runbook"]).toMatch(
        /^docs\/operations\.md#postrider[a-z]+$/,
      );
    }
    for (const alert of annotations[1]!) {
      expect(alert["runbook_url"]?.split("#")[0]).toBe(url);
      expect(alert["runbook"]).toBeUndefined();
    }
    expect(annotations[1]!.length).toBeGreaterThan(20);
  },
);

/** The annotations of each alert. */
function alerts(
  objects: readonly ChartObject[],
): readonly Readonly<Record<string, string>>[] {
  const rule = objects.find(({ kind }) => kind === "PrometheusRule");
  const { groups } = rule!.spec as {
    groups: readonly {
      rules: readonly { annotations?: Record<string, string> }[];
    }[];
  }; // a PrometheusRule's spec
  // A recording rule has none.
  return groups.flatMap(({ rules }) =>
    rules.flatMap(({ annotations }) =>
      annotations === undefined ? [] : [annotations],
    ),
  );
}

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

testWithHelm(
  "one account for several services is made once, and is not the Jobs'",
  () => {
    const shared = "defaults.serviceAccount.name=shared";
    const accounts = render(
      helm,
      "minimal",
      set(shared, "jobs.serviceAccount.name=jobs"),
    )
      .filter(({ kind }) => kind === "ServiceAccount")
      .map(({ metadata }) => metadata.name);
    const plain = render(helm, "minimal", set(shared, "jobs.hook=false"));

    expect(accounts).toEqual(["shared", "jobs"]);
    expect(plain.filter(({ kind }) => kind === "ServiceAccount")).toHaveLength(
      1,
    );
    expect(() => render(helm, "minimal", set(shared))).toThrow(
      /have the same service account, shared/,
    );
  },
);

testWithHelm("a plain Job has another name when its labels change", () => {
  const [before, after] = [[], ["commonLabels.team=events"]].map((more) =>
    jobs(render(helm, "plain-jobs", set(...more))),
  );

  expect(before).toHaveLength(2);
  expect(after!.filter((job) => before!.includes(job))).toEqual([]);
});

testWithHelm("a plain Job without a time to live stays", () => {
  const rendered = render(
    helm,
    "plain-jobs",
    set("jobs.ttlSecondsAfterFinished=null"),
  );

  expect(jobs(rendered)).toHaveLength(2);
  expect(JSON.stringify(rendered)).not.toContain("ttlSecondsAfterFinished");
});

testWithHelm("every pod has the labels and annotations of pods", () => {
  const pods = render(
    helm,
    "minimal",
    set("defaults.podLabels.mesh=no", "defaults.podAnnotations.mesh=no"),
  ).filter(({ kind }) => ["Deployment", "Job", "Pod"].includes(kind));

  const metadata = pods.map(({ kind, metadata: own, spec }) =>
    kind === "Pod" ? own : (spec as Templated).template.metadata,
  );
  expect(metadata).toHaveLength(8);
  for (const { labels, annotations } of metadata) {
    expect(labels).toMatchObject({ mesh: "no" });
    expect(annotations).toMatchObject({ mesh: "no" });
  }
});

testWithHelm("every pod has a NetworkPolicy, before it starts", () => {
  const rendered = rendering("minimal");
  const policies = rendered.filter(({ kind }) => kind === "NetworkPolicy");
  const weight = ({ metadata }: ChartObject): number =>
    Number(metadata.annotations?.["helm.sh/hook-weight"] ?? NaN);

  const unguarded = podsOf(rendered).filter(
    ({ labels }) =>
      !policies.some(({ spec }) =>
        Object.entries(
          (spec as { podSelector: { matchLabels: object } }).podSelector
            .matchLabels,
        ).every(([key, value]) => labels[key] === value),
      ),
  );
  const late = rendered
    .filter(({ kind }) => kind === "Job")
    .filter(
      (job) =>
        !policies.some(
          (policy) =>
            policy.metadata.name === job.metadata.name &&
            weight(policy) < weight(job),
        ),
    );

  expect(unguarded).toEqual([]);
  expect(late).toEqual([]);
});

testWithHelm("two long names that begin alike stay two", () => {
  const [one, two] = ["a", "b"].map(
    (end) =>
      rendered(
        `fullnameOverride=webhooks-of-the-whole-company-for-partners-${end}`,
      )[0],
  );

  expect(one).not.toBe(two);
  expect(one!.length).toBeLessThanOrEqual(63);

  function rendered(value: string): string[] {
    return render(helm, "minimal", set(value))
      .filter(({ kind }) => kind === "Service")
      .map(({ metadata }) => metadata.name);
  }
});

testWithHelm("Recreate has no rolling update", () => {
  const rendered = render(
    helm,
    "minimal",
    set("defaults.strategy.type=Recreate"),
  ).filter(({ kind }) => kind === "Deployment");

  for (const { spec } of rendered)
    expect((spec as { strategy: unknown }).strategy).toEqual({
      type: "Recreate",
    });
});

testWithHelm("names that look like numbers stay text", () => {
  const rendered = render(helm, "minimal", {
    release: "123",
    args: [
      "--set-string=secrets.adminKey.existingSecret=42,secrets.adminKey.key=1",
    ],
  });

  const labels = rendered.map(({ metadata }) => metadata.labels);
  expect(
    labels.filter((each) => each!["app.kubernetes.io/instance"] !== "123"),
  ).toEqual([]);
  expect(JSON.stringify(rendered)).toContain('"secret":{"name":"42"');
});

testWithHelm.each([
  [
    "ingest.preStopSleepSeconds=30",
    "ingest: terminationGracePeriodSeconds is 90, but preStopSleepSeconds and the 75 s in which a service stops are 105",
  ],
  [
    "strimzi.enabled=true,strimzi.topics.enabled=false",
    "none for the topics Job",
  ],
  [
    "strimzi.enabled=true,strimzi.cluster=",
    "strimzi.enabled needs strimzi.cluster",
  ],
  [
    "strimzi.enabled=true,strimzi.namespace=kafka,kafka.sasl.mechanism=scram-sha-512,kafka.sasl.username=a,kafka.sasl.password.existingSecret=a",
    "Bring the one of postrider-ingest",
  ],
  [
    "clickhouse.url=http://me:secret@clickhouse:8123",
    "clickhouse.url has a user",
  ],
  ["fullnameOverride=-a", "'/fullnameOverride'"],
  ["nameOverride=A", "'/nameOverride'"],
  [
    "commonLabels.app\\.kubernetes\\.io/name=a",
    "invalid propertyName 'app.kubernetes.io/name'",
  ],
  [
    "ingest.podLabels.app\\.kubernetes\\.io/component=a",
    "invalid propertyName 'app.kubernetes.io/component'",
  ],
  ["ingest.ingress.hosts[0]=events.example.com", "'/ingest/ingress/hosts/0'"],
])("%s is refused", (values, sentence) => {
  expect(() => render(helm, "minimal", set(values))).toThrow(
    expect.objectContaining({ message: expect.stringContaining(sentence) }),
  );
});

interface Templated {
  readonly template: {
    readonly metadata: {
      readonly labels?: object;
      readonly annotations?: object;
    };
  };
}

function jobs(objects: readonly ChartObject[]): string[] {
  return objects
    .filter(({ kind }) => kind === "Job")
    .map(({ metadata }) => metadata.name);
}

testWithHelm("the tenants' user of ClickHouse reaches control alone", () => {
  const objects = render(
    helm,
    "minimal",
    set(
      "clickhouse.tenants.user=tenants",
      "clickhouse.tenants.password.existingSecret=tenants-password",
    ),
  );

  const named = podsOf(objects)
    .filter((pod) => JSON.stringify(pod).includes("CLICKHOUSE_TENANT_USER"))
    .map((pod) => JSON.stringify(pod));
  expect(named).toHaveLength(1);
  expect(named[0]).toContain("CLICKHOUSE_TENANT_PASSWORD_FILE");
  expect(named[0]).toContain("tenants-password");
});
