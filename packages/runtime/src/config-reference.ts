import type { ConfigEntry, ConfigSpec } from "./config.ts";

/** The configuration reference page, in Markdown: one table for each service, under the service's name. */
export function renderConfigReference(
  specs: Readonly<Record<string, ConfigSpec>>,
): string {
  const sections = Object.entries(specs).map(([title, spec]) =>
    [
      `## ${title}`,
      "",
      "| variable | default | expects | what it does |",
      "| --- | --- | --- | --- |",
      ...Object.values(spec).map(row),
      "",
    ].join("\n"),
  );
  return [
    "# Configuration",
    "",
    "Generated from each service's `config.ts`. Every variable with a secret may also be given as `VARIABLE_FILE`, the path of a file that holds it.",
    "",
    ...sections,
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
