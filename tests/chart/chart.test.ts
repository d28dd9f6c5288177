/** The Helm chart as helm renders it: what holds for every rendering, and what each file of ci/ changes. */
import { readFileSync } from "node:fs";
import { expect } from "@jest/globals";
import { stringify } from "yaml";
import { difference } from "./difference.ts";
import { CHART } from "./helm.ts";
import { schemaProblems, typeProblems } from "./models.ts";
import {
  MATRIX,
  nameOf,
  podsOf,
  render,
  run,
  valuesFile,
  type ChartObject,
} from "./render.ts";
import {
  danglingReferences,
  insecurePods,
  secretsOf,
  unfitServices,
} from "./rules.ts";
import { helm, note, rendering, testWithHelm } from "./with-helm.ts";

testWithHelm(`the chart's own defaults pass helm lint${note}`, () => {
  expect(run(helm, "lint", "--strict", CHART)).toMatchObject({ ok: true });
});

testWithHelm.each(MATRIX)("%s: every rule holds", (name) => {
  const objects = rendering(name);

  expect(insecurePods(objects)).toEqual([]);
  expect(unfitServices(objects)).toEqual([]);
  expect(danglingReferences(objects)).toEqual([]);
  const names = objects.map(nameOf);
  expect(names.filter((each, at) => names.indexOf(each) !== at)).toEqual([]);
});

testWithHelm.each(MATRIX)(
  "%s: only Secrets that the values name are read",
  (name) => {
    const given = secretsIn(name);
    const ofUsers = rendering(name)
      .filter(({ kind }) => kind === "KafkaUser")
      .map(({ metadata }) => metadata.name);

    const read = secretsOf(rendering(name));

    expect(
      [...read].filter((secret) => ![...given, ...ofUsers].includes(secret)),
    ).toEqual([]);
    expect(given.filter((secret) => !read.has(secret))).toEqual([]);
    expect(rendering(name).filter(({ kind }) => kind === "Secret")).toEqual([]);
  },
);

testWithHelm(
  "everything: a monitor that finds no Service, another one, or no port is told",
  () => {
    const objects = rendering("everything");
    const changed = (
      name: string,
      change: (object: ChartObject) => ChartObject,
    ): string[] => {
      expect(objects.map(nameOf)).toContain(name);
      return danglingReferences(
        objects.map((object) =>
          nameOf(object) === name ? change(object) : object,
        ),
      );
    };
    const relabelled = (component: string) => (object: ChartObject) => ({
      ...object,
      metadata: {
        ...object.metadata,
        labels: {
          ...object.metadata.labels,
          "app.kubernetes.io/component": component,
        },
      },
    });

    expect(
      changed("Service postrider-dispatcher-admin", relabelled("dispatcher")),
    ).toEqual(["ServiceMonitor postrider-dispatcher: finds 0 things, not 1"]);
    expect(
      changed("Service postrider-ingest", relabelled("ingest-admin")),
    ).toEqual([
      "ServiceMonitor postrider-ingest: finds 2 things, not 1",
      "ServiceMonitor postrider-ingest: finds one without a port admin",
    ]);
    expect(
      changed("Service postrider-control-admin", (object) => ({
        ...object,
        spec: {
          ...(object.spec as object),
          ports: [{ name: "metrics", port: 9400, targetPort: "admin" }],
        },
      })),
    ).toEqual([
      "ServiceMonitor postrider-control: finds one without a port admin",
    ]);
  },
);

testWithHelm(
  "every object is what Kubernetes, or the owner of its kind, takes",
  async () => {
    const objects = MATRIX.flatMap(rendering);

    expect(await schemaProblems(objects)).toEqual([]);
    expect(typeProblems(objects)).toBe("");
  },
);

testWithHelm("a field that does not exist would be seen", () => {
  const [deployment] = rendering("minimal").filter(
    ({ kind }) => kind === "Deployment",
  );
  const misspelled = {
    ...deployment!,
    spec: { ...(deployment!.spec as object), replicaCount: 1 },
  };

  expect(typeProblems([misspelled])).toContain("replicaCount");
});

testWithHelm("minimal: what is rendered", () => {
  expect(rendering("minimal").map(nameOf).toSorted()).toMatchSnapshot();
  const shown = [
    "Deployment postrider-dispatcher",
    "NetworkPolicy postrider-dispatcher",
    "Job postrider-topics",
    "Pod postrider-test",
  ];
  for (const name of shown)
    expect(
      stringify(rendering("minimal").find((each) => nameOf(each) === name)),
    ).toMatchSnapshot(name);
});

testWithHelm.each(MATRIX.filter((name) => name !== "minimal"))(
  "%s: what it changes",
  (name) => {
    expect(difference(rendering("minimal"), rendering(name))).toMatchSnapshot();
  },
);

testWithHelm(
  "on Kubernetes 1.29 a pod waits by other means than `sleep`",
  () => {
    const rendered = render(helm, "minimal", {
      args: ["--kube-version=1.29.0"],
    });
    const ingest = podsOf(rendered).find(
      ({ owner }) => owner.metadata.name === "postrider-ingest",
    );

    const { preStop } = ingest!.spec.containers[0]!.lifecycle!;

    expect(preStop).toEqual({
      exec: {
        command: [
          "/usr/local/bin/node",
          "-e",
          "setTimeout(() => undefined, 5000)",
        ],
      },
    });
    expect(() =>
      render(helm, "minimal", { args: ["--kube-version=1.28.0"] }),
    ).toThrow(/incompatible with Kubernetes v1.28.0/);
  },
);

testWithHelm(
  "two releases in one namespace share no name, no topic and no database",
  () => {
    const [one, two] = ["one", "two"].map((release) =>
      render(helm, "minimal", { release }),
    );

    const names = new Set(one!.map(nameOf));
    expect(two!.map(nameOf).filter((name) => names.has(name))).toEqual([]);
    expect(settings(one!)).toEqual({
      POSTRIDER_TOPIC_PREFIX: ["one."],
      POSTRIDER_CLICKHOUSE_DATABASE: ["one"],
    });
    expect(settings(two!)).toEqual({
      POSTRIDER_TOPIC_PREFIX: ["two."],
      POSTRIDER_CLICKHOUSE_DATABASE: ["two"],
    });
  },
);

testWithHelm(
  "a release called postrider has the names of the documentation",
  () => {
    expect(settings(rendering("minimal"))).toEqual({
      POSTRIDER_TOPIC_PREFIX: ["postrider."],
      POSTRIDER_CLICKHOUSE_DATABASE: ["postrider"],
    });
  },
);

/** The values of `existingSecret` anywhere in a file of the matrix. */
function secretsIn(name: string): string[] {
  const text = readFileSync(valuesFile(name), "utf8");
  return [...text.matchAll(/existingSecret: (\S+)/g)].map(
    ([, secret]) => secret!,
  );
}

/** The distinct values of two variables over all pods. */
function settings(objects: readonly ChartObject[]): Record<string, string[]> {
  const env = podsOf(objects).flatMap(({ spec }) =>
    spec.containers.flatMap((each) => each.env ?? []),
  );
  const valuesOf = (variable: string): string[] => [
    ...new Set(
      env
        .filter(({ name }) => name === variable)
        .map(({ value }) => value ?? ""),
    ),
  ];
  return {
    POSTRIDER_TOPIC_PREFIX: valuesOf("POSTRIDER_TOPIC_PREFIX"),
    POSTRIDER_CLICKHOUSE_DATABASE: valuesOf("POSTRIDER_CLICKHOUSE_DATABASE"),
  };
}
