/**
 * Checks objects against the models of Kubernetes and of the custom resources' owners, twice: by the models' JSON schemas,
 * which know ranges and required fields, and by their types, since only the compiler sees a field that does not exist.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { nameOf, type ChartObject } from "./render.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The module with the model of an object; its export is the kind. */
function moduleOf({ apiVersion, kind }: ChartObject): string {
  const [group] = apiVersion.split("/");
  switch (group) {
    case "keda.sh":
      return `@kubernetes-models/keda/${apiVersion}/${kind}`;
    case "gateway.networking.k8s.io":
      return `@kubernetes-models/gateway-api/${apiVersion}/${kind}`;
    case "monitoring.coreos.com":
      return `@kubernetes-models/prometheus-operator/${apiVersion}/${kind}`;
    case "kafka.strimzi.io":
      return `${root}tests/chart/strimzi.ts`;
    default:
      return `kubernetes-models/${apiVersion}/${kind}`;
  }
}

type Model = new (data: unknown) => { validate(): void };

/** What the schema of an object's kind says against it; empty if nothing. */
export async function schemaProblems(
  objects: readonly ChartObject[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const object of objects) {
    if (object.apiVersion.startsWith("kafka.strimzi.io/")) continue; // has types only
    const models = (await import(moduleOf(object))) as Record<string, Model>; // each module exports the model of its kind
    try {
      new models[object.kind]!(object).validate();
    } catch (error) {
      problems.push(`${nameOf(object)}: ${String(error)}`);
    }
  }
  return problems;
}

/** What the compiler says against objects; empty if nothing. */
export function typeProblems(objects: readonly ChartObject[]): string {
  const folder = `${root}.cache/chart-types`;
  mkdirSync(folder, { recursive: true });
  const modules = new Map(
    objects.map((object) => [object.kind, moduleOf(object)]),
  );
  const distinct = new Set(
    objects.map(
      (object) =>
        `((): I${object.kind} => (${JSON.stringify(object, null, 1)}))`,
    ),
  );
  const lines = [
    ...[...modules].map(
      ([kind, path]) =>
        `import type { I${kind} } from ${JSON.stringify(path)};`,
    ),
    "export const objects = [",
    ...[...distinct].map((text) => `${text},`),
    "];",
  ];
  writeFileSync(`${folder}/objects.ts`, lines.join("\n"));
  writeFileSync(
    `${folder}/tsconfig.json`,
    JSON.stringify({
      compilerOptions: {
        noEmit: true,
        strict: true,
        skipLibCheck: true,
        module: "nodenext",
        target: "es2024",
        types: [],
        allowImportingTsExtensions: true,
      },
      files: ["objects.ts"],
    }),
  );
  const ran = spawnSync(`${root}node_modules/.bin/tsc`, ["-p", folder], {
    encoding: "utf8",
  });
  return ran.status === 0 ? "" : `${ran.stdout}${ran.stderr}`;
}
