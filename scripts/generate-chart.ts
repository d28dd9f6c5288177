/**
 * Writes what of the Helm chart comes from elsewhere: values.schema.json and README.md from values.yaml and the services'
 * configuration; files/ from the topics, the rights, the refused ranges, the alerts and the dashboards.
 * `node scripts/generate-chart.ts --check` writes nothing and exits 1 when a file would change.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { parseDocument } from "yaml";
import { REFUSED_RANGES } from "../packages/core/src/index.ts";
import { kafkaFile } from "./chart/kafka-files.ts";
import { renderReadme } from "./chart/readme.ts";
import { valuesSchema } from "./chart/values-schema.ts";
import { variablesOfComponents } from "./chart/variables.ts";

const deploy = fileURLToPath(new URL("../deploy/", import.meta.url));
const chart = `${deploy}helm/postrider/`;
const values = parseDocument(readFileSync(`${chart}values.yaml`, "utf8"));

const json = async (content: unknown): Promise<string> =>
  await format(JSON.stringify(content), { parser: "json" });

const wanted = new Map<string, string>([
  ["values.schema.json", await json(valuesSchema(values))],
  ["README.md", await format(renderReadme(values), { parser: "markdown" })],
  ["files/variables.json", await json(variablesOfComponents())],
  ["files/kafka.json", await json(kafkaFile())],
  ["files/refused-ranges.json", await json(REFUSED_RANGES)],
  copied("prometheus/alerts.yaml", "files/alerts.yaml"),
  ...dashboards(),
]);
const stale = filesOf(`${chart}files`).filter(
  (path) => !wanted.has(`files/${path}`),
);
const changed = [...wanted].filter(
  ([path, text]) =>
    !existsSync(chart + path) || readFileSync(chart + path, "utf8") !== text,
);
if (process.argv.includes("--check")) {
  const names = [
    ...changed.map(([path]) => path),
    ...stale.map((path) => `files/${path}`),
  ];
  if (names.length > 0) {
    console.error(
      `deploy/helm/postrider is out of date (${names.join(", ")}); run: node scripts/generate-chart.ts`,
    );
    process.exitCode = 1;
  }
} else {
  for (const path of stale) rmSync(`${chart}files/${path}`);
  for (const [path, text] of changed) {
    mkdirSync(dirname(chart + path), { recursive: true });
    writeFileSync(chart + path, text);
  }
}

function copied(from: string, to: string): [string, string] {
  return [to, readFileSync(deploy + from, "utf8")];
}

function dashboards(): [string, string][] {
  return filesOf(`${deploy}grafana/dashboards`).map((name) =>
    copied(`grafana/dashboards/${name}`, `files/dashboards/${name}`),
  );
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      `${entry.parentPath}/${entry.name}`.slice(folder.length + 1),
    );
}
