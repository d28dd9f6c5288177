import type { ConfigEntry, ConfigSpec } from "./config.ts";

/** The configuration reference page, in Markdown: a table of what every service has, and one for each service, under the service's name. */
export function renderConfigReference(
  specs: Readonly<Record<string, ConfigSpec>>,
): string {
  const all = Object.values(specs);
  const isCommon = (entry: ConfigEntry): boolean =>
    all.length > 1 && all.every((spec) => Object.values(spec).includes(entry));
  const common = Object.values(all[0] ?? {}).filter(isCommon);
  const sections = [
    ...(common.length > 0 ? [section("Every service", common)] : []),
    ...Object.entries(specs).map(([title, spec]) =>
      section(
        title,
        Object.values(spec).filter((entry) => !isCommon(entry)),
      ),
    ),
  ];
  return [
    "# Configuration",
    "",
    "Generated from each service's `config.ts`. Every variable with a secret may also be given as `VARIABLE_FILE`, the path of a file that holds it.",
    "",
    ...sections,
  ].join("\n");
}

function section(title: string, entries: readonly ConfigEntry[]): string {
  return [
    `## ${title}`,
    "",
    "| variable | default | expects | what it does |",
    "| --- | --- | --- | --- |",
    ...entries.map(row),
    "",
  ].join("\n");
}

function row(entry: ConfigEntry): string {
  const standard =
    entry.default === undefined
      ? "required"
      : entry.default === null
        ? "none"
        : `\`${entry.default}\``;
  const doc = entry.secret === true ? `${entry.doc} Secret.` : entry.doc;
  const cells = [
    `\`${entry.env}\``,
    standard,
    entry.parse.expects ?? "a text",
    doc,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
