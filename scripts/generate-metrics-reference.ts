/**
 * Writes docs/metrics.md from what the services declare.
 * `node scripts/generate-metrics-reference.ts --check` writes nothing and exits 1 when the file would change.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { LABELS } from "./metric-labels.ts";
import { declaredMetrics, type DeclaredMetric } from "./metrics-of.ts";

const target = new URL("../docs/metrics.md", import.meta.url);
const text = await format(render(await declaredMetrics()), {
  parser: "markdown",
});
const present = existsSync(target) ? readFileSync(target, "utf8") : "";
if (process.argv.includes("--check")) {
  if (present !== text) {
    console.error(
      "docs/metrics.md is out of date; run: node scripts/generate-metrics-reference.ts",
    );
    process.exitCode = 1;
  }
} else if (present !== text) writeFileSync(target, text);

function render(metrics: readonly DeclaredMetric[]): string {
  const ofMany = metrics.filter(({ services }) => services.length > 1);
  const services = [...new Set(metrics.flatMap((metric) => metric.services))];
  return [
    "# Metrics",
    "",
    "Generated from what each service declares. `GET /metrics` on the admin port (`POSTRIDER_ADMIN_HOST`, `POSTRIDER_ADMIN_PORT`) answers in the Prometheus text format. Beside it are `/livez` (a restart would help if it fails), `/readyz` (whether to send traffic) and `/startupz` (whether the process is up and its loops run, whatever it waits for): 200 or 503, with each check as JSON.",
    "",
    "A counter or a histogram counts from the start of its process. Most metrics with labels are absent until one of their values has occurred.",
    "",
    "## Labels",
    "",
    "Every metric has the label `service`. No label holds an endpoint, a tenant, an event or anything else of which there may be any number: for those ask ClickHouse (`postrider query`).",
    "",
    "| label | values |",
    "| --- | --- |",
    ...Object.entries(LABELS).map(([name, values]) =>
      row(`\`${name}\``, values),
    ),
    "",
    "## More than one service",
    "",
    "| metric | type | unit | labels | services | what it means |",
    "| --- | --- | --- | --- | --- | --- |",
    ...ofMany.map((metric) =>
      row(...head(metric), servicesOf(metric, services.length), metric.help),
    ),
    "",
    ...services.flatMap((service) => sectionOf(service, metrics)),
  ].join("\n");
}

/** The metrics that only this service has. */
function sectionOf(
  service: string,
  metrics: readonly DeclaredMetric[],
): string[] {
  const own = metrics.filter(({ services }) => services.join() === service);
  if (own.length === 0) return [];
  return [
    `## ${service}`,
    "",
    "| metric | type | unit | labels | what it means |",
    "| --- | --- | --- | --- | --- |",
    ...own.map((metric) => row(...head(metric), metric.help)),
    "",
  ];
}

function servicesOf({ services }: DeclaredMetric, all: number): string {
  return services.length === all ? "all" : services.join(", ");
}

function head(metric: DeclaredMetric): string[] {
  const labels = metric.labels.map((label) => `\`${label}\``).join(", ");
  return [`\`${metric.name}\``, metric.kind, unitOf(metric.name), labels];
}

/** Names end in their unit. */
function unitOf(name: string): string {
  if (name.endsWith("_seconds")) return "seconds";
  if (name.endsWith("_bytes")) return "bytes";
  if (/_(is_owner|ready|degraded|stale)$/.test(name)) return "0 or 1";
  const counted =
    /_(records|rows|batches|entries|offsets|sockets|timers)(_total)?$/;
  return counted.exec(name)?.[1] ?? "count";
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
