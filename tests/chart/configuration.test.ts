/** What the chart renders for each service, against what the service itself takes and does. */
import { randomBytes } from "node:crypto";
import { expect } from "@jest/globals";
import {
  rightsOf,
  rightsOfSources,
  type RightsHolder,
} from "@postrider/messaging";
import { readConfig } from "@postrider/runtime";
import { makeCertificate } from "@postrider/testkit";
import {
  OF_CONNECTIONS,
  SERVICE_SPECS,
} from "../../scripts/chart/variables.ts";
import { MATRIX, podsOf, render, type Pods } from "./render.ts";
import { helm, note, rendering, testWithHelm } from "./with-helm.ts";

/** Control does not read these: they are for the command that people run in its pods. */
const OF_THE_COMMAND = [
  "POSTRIDER_INGEST_URL",
  "POSTRIDER_CONTROL_URL",
  "POSTRIDER_TIERS",
];

testWithHelm.each(MATRIX)(
  "%s: each service's configuration takes what is rendered",
  (name) => {
    const sources = rendering(name).find(
      ({ metadata }) => metadata.name === "postrider-ingest-sources",
    )?.data?.["sources.yaml"];
    const files = filesWith(sources ?? "none");
    const services = podsOf(rendering(name)).filter(
      ({ owner }) => owner.kind === "Deployment",
    );

    const problems = services.flatMap(({ owner, spec }) => {
      const service = owner.metadata.labels!["app.kubernetes.io/component"]!;
      const env = Object.fromEntries(
        (spec.containers[0]?.env ?? []).map((each) => [each.name, each.value]),
      );
      const known = new Set([
        ...Object.values(SERVICE_SPECS[service]!).map((entry) => entry.env),
        ...OF_CONNECTIONS,
      ]);
      const ours = Object.keys(env).filter((each) => each !== "NODE_OPTIONS");
      const isOfCommand = (each: string): boolean =>
        service === "control" && OF_THE_COMMAND.includes(each);
      return [
        ...ours
          .filter(
            (each) =>
              !isOfCommand(each) &&
              !known.has(each) &&
              !known.has(each.replace(/_FILE$/, "")),
          )
          .map((each) => `${service} does not know ${each}`),
        ...problemsOf(() => readConfig(env, SERVICE_SPECS[service]!, files)),
      ];
    });

    expect(services).toHaveLength(5);
    expect(problems).toEqual([]);
  },
);

testWithHelm(
  `each who asks ClickHouse has its own user, and control alone that of tenants${note}`,
  () => {
    const own = podsOf(rendering("scram"));
    const one = podsOf(rendering("mtls"));

    const names = ["migrations", "recorder", "control"];
    expect(
      signInsOf(own)
        .map(({ component }) => component)
        .toSorted(),
    ).toEqual(names.toSorted());
    expect(signInsOf(own)).toEqual(
      expect.arrayContaining([
        {
          component: "migrations",
          user: "postrider_migrate",
          passwords: { "clickhouse/password": "clickhouse-migrate" },
        },
        {
          component: "recorder",
          user: "postrider_recorder",
          passwords: { "clickhouse/password": "clickhouse-recorder" },
        },
        {
          component: "control",
          user: "postrider_control",
          tenantUser: "postrider_tenant",
          passwords: {
            "clickhouse/password": "clickhouse-control",
            "clickhouse/tenant-password": "clickhouse-tenant",
          },
        },
      ]),
    );
    expect(signInsOf(one)).toHaveLength(3);
    for (const signIn of signInsOf(one))
      expect(signIn).toMatchObject({
        user: "postrider",
        passwords: { "clickhouse/password": "clickhouse" },
      });
  },
);

testWithHelm(
  `a component with a ClickHouse of its own may reach that one, and only that one${note}`,
  () => {
    const rendered = render(helm, "minimal", {
      args: [
        "--set=recorder.clickhouse.url=https://elsewhere.example.com:9443",
      ],
    });

    const ports = rendered
      .filter(({ kind }) => kind === "NetworkPolicy")
      .map(({ metadata, spec }) => ({
        name: metadata.name,
        ports: (spec as Policy).egress.flatMap((rule) =>
          (rule.ports ?? []).map(({ port }) => port),
        ),
      }));
    const reaching = (port: number): string[] =>
      ports
        .filter((policy) => policy.ports.includes(port))
        .map(({ name }) => name)
        .toSorted();
    expect(reaching(9443)).toEqual(["postrider-recorder"]);
    expect(reaching(8123)).toEqual([
      "postrider-control",
      "postrider-migrations",
    ]);
  },
);

interface Policy {
  readonly egress: readonly {
    readonly ports?: readonly { readonly port: number | string }[];
  }[];
}

interface SignIn {
  readonly component: string;
  readonly user?: string | undefined;
  readonly tenantUser?: string | undefined;
  /** The Secret of each file. */
  readonly passwords: Readonly<Record<string, string>>;
}

/** How each Job and service that asks ClickHouse signs in there. */
function signInsOf(pods: readonly Pods[]): SignIn[] {
  return pods.flatMap(({ spec }) => {
    const [container] = spec.containers;
    const valueOf = (variable: string): string | undefined =>
      container?.env?.find(({ name }) => name === variable)?.value;
    if (valueOf("CLICKHOUSE_URL") === undefined) return [];
    const files = (spec.volumes ?? [])
      .flatMap(({ projected }) => projected?.sources ?? [])
      .flatMap(({ secret }) =>
        (secret?.items ?? []).map(
          ({ path }) => [path, secret?.name ?? ""] as const,
        ),
      );
    return [
      {
        component: container!.name,
        user: valueOf("CLICKHOUSE_USER"),
        tenantUser: valueOf("CLICKHOUSE_TENANT_USER"),
        passwords: Object.fromEntries(
          files.filter(([path]) => /^clickhouse\/.*password$/.test(path)),
        ),
      },
    ];
  });
}

testWithHelm(
  `KEDA watches groups and topics that the service reads${note}`,
  () => {
    const scaled = rendering("keda").filter(
      ({ kind }) => kind === "ScaledObject",
    );

    const watched = scaled.flatMap(({ metadata, spec }) =>
      (spec as Scaled).triggers.map(({ metadata: trigger }) => ({
        service: metadata.labels!["app.kubernetes.io/component"]!,
        group: trigger.consumerGroup,
        topic: trigger.topic,
      })),
    );

    expect(watched).toHaveLength(9);
    expect(
      watched.filter(({ service, group, topic }) => {
        const holder =
          service === "ingest" ? "route" : (service as RightsHolder); // the other services hold rights under their own names
        const prefix = "postrider.";
        const readable = [
          ...rightsOf(holder, { prefix, tiers: [] }),
          ...rightsOfSources(prefix, ["shop.orders", "parcels"]),
        ]
          .filter(({ operations }) => operations.includes("Read"))
          .map((right) => `${right.resource} ${right.name}`);
        return (
          !readable.includes(`group ${group}`) ||
          !readable.includes(`topic ${topic}`)
        );
      }),
    ).toEqual([]);
  },
);

interface Scaled {
  readonly triggers: readonly {
    readonly metadata: {
      readonly consumerGroup: string;
      readonly topic: string;
    };
  }[];
}

/** What a file below /etc/postrider could hold, and the sources. */
function filesWith(sources: string): (path: string) => string {
  const encryptionKeys = `k1:${randomBytes(32).toString("base64")}`;
  const { cert, key } = makeCertificate({ hosts: ["kafka"] });
  return (path) => {
    if (path === "/etc/postrider-sources/sources.yaml") return sources;
    if (path.endsWith(".crt")) return cert;
    if (path.endsWith(".key")) return key;
    return path.endsWith("encryption-keys") ? encryptionKeys : "text";
  };
}

function problemsOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    return [String(error)];
  }
}
