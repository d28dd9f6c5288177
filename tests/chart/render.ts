/** Runs helm over the chart and reads what it renders. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import { parseAllDocuments } from "yaml";
import { CHART } from "./helm.ts";

export interface ChartObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  /** Of a ConfigMap. */
  readonly data?: Readonly<Record<string, string>>;
}

/** The pods that an object makes. */
export interface Pods {
  readonly owner: ChartObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: IPodSpec;
}

/** The names of the files in ci/, without `-values.yaml`. */
export const MATRIX: readonly string[] = readdirSync(join(CHART, "ci")).map(
  (file) => file.replace("-values.yaml", ""),
);

export function valuesFile(name: string): string {
  return join(CHART, "ci", `${name}-values.yaml`);
}

export interface Ran {
  readonly ok: boolean;
  readonly output: string;
}

export function run(helm: string, ...args: readonly string[]): Ran {
  const ran = spawnSync(helm, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // No settings, plugins or cluster of this machine's user.
    env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
  });
  return { ok: ran.status === 0, output: `${ran.stdout}${ran.stderr}` };
}

/** `helm template` with a file of the matrix and further arguments. Throws what helm says. */
export function render(
  helm: string,
  name: string,
  {
    release = "postrider",
    args = [],
  }: { readonly release?: string; readonly args?: readonly string[] } = {},
): ChartObject[] {
  const ran = run(
    helm,
    "template",
    release,
    CHART,
    "--namespace=events",
    `--values=${valuesFile(name)}`,
    ...args,
  );
  if (!ran.ok) throw new Error(ran.output);
  return parseAllDocuments(ran.output)
    .map((document) => document.toJSON() as ChartObject | null)
    .filter((object) => object !== null);
}

export function podsOf(objects: readonly ChartObject[]): Pods[] {
  return objects.flatMap((owner) => {
    if (owner.kind === "Pod")
      return [
        {
          owner,
          labels: owner.metadata.labels ?? {},
          spec: owner.spec as IPodSpec, // a Pod's spec
        },
      ];
    if (owner.kind !== "Deployment" && owner.kind !== "Job") return [];
    const { template } = owner.spec as {
      template: {
        metadata: { labels: Record<string, string> };
        spec: IPodSpec;
      };
    }; // both have a pod's template
    return [{ owner, labels: template.metadata.labels, spec: template.spec }];
  });
}

/** `Deployment postrider-ingest`. */
export function nameOf({ kind, metadata }: ChartObject): string {
  return `${kind} ${metadata.name}`;
}
