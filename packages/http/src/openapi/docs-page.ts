/** A page for people that lists an API's operations. It is one file without scripts: nothing of it comes from elsewhere. */
import { createHash } from "node:crypto";
import {
  type OpenApiDocument,
  type OpenApiOperation,
  type OpenApiParameter,
  responseOf,
} from "./document.ts";
import type { JsonSchema } from "./json-schema.ts";

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:.875em/1.45 ui-monospace,monospace;background:var(--soft);border-radius:3px}
code{padding:.1em .3em}pre{padding:.75rem;overflow:auto}pre code{background:none;padding:0}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;border-top:1px solid var(--line);padding:.25rem .5rem}
details{border:1px solid var(--line);border-radius:5px;margin:.5rem 0;padding:.5rem .75rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4.5rem}
h4{margin:1rem 0 .25rem}`;

/** For the header `content-security-policy` of the page. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The HTML. Every text of the document is escaped. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags, paths } = document;
  const operations = Object.entries(paths).flatMap(([path, of]) =>
    Object.entries(of).map(([method, operation]) => ({
      title: `<b>${escaped(method.toUpperCase())}</b> <code>${escaped(path)}</code> ${escaped(operation.summary)}`,
      operation,
    })),
  );
  const parts = tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) =>
      operation.tags.includes(name),
    );
    return `<h2>${escaped(name)}</h2>\n<p>${prose(description)}</p>\n${own
      .map(
        ({ title, operation }) =>
          `<details id="${escaped(operation.operationId)}"><summary>${title}</summary>\n${operationHtml(document, operation)}</details>`,
      )
      .join("\n")}`;
  });
  const named = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escaped(name)}"><summary><code>${escaped(name)}</code></summary>\n${json(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(info.title)}</h1>
<p>${prose(info.description)}</p>
<p>For programs: <a href="openapi.json"><code>openapi.json</code></a> (OpenAPI ${document.openapi}).</p>
${parts.join("\n")}
<h2>Schemas</h2>
${named.join("\n")}
</body>
</html>
`;
}

function operationHtml(
  document: OpenApiDocument,
  operation: OpenApiOperation,
): string {
  const { description, parameters, requestBody, responses } = operation;
  const bodies = Object.entries(requestBody?.content ?? {});
  return [
    `<p>${prose(description)}</p>`,
    parameters.length === 0 ? "" : parameterTable(parameters),
    ...bodies.map(([type, { schema, example }]) =>
      [
        `<h4>Body <code>${escaped(type)}</code>${requestBody?.required === true ? "" : " (may be left out)"}</h4>`,
        example === undefined ? "" : json(example),
        schemaHtml(schema),
      ].join("\n"),
    ),
    `<h4>Answers</h4>\n<table>${Object.entries(responses)
      .map(([status, response]) => {
        const { description: about, content } = responseOf(document, response);
        const shown = Object.entries(content ?? {}).map(([type, of]) =>
          type === "application/json"
            ? `${of.example === undefined ? "" : json(of.example)}${schemaHtml(of.schema)}`
            : `<code>${escaped(type)}</code>`,
        );
        return `<tr><th>${escaped(status)}</th><td>${prose(about)} ${shown.join("")}</td></tr>`;
      })
      .join("\n")}</table>`,
  ].join("\n");
}

function parameterTable(parameters: readonly OpenApiParameter[]): string {
  const rows = parameters.map(
    ({ name, in: place, required, description = "", schema }) =>
      `<tr><td><code>${escaped(name)}</code></td><td>${place}${required ? ", required" : ""}</td><td>${prose(description)}</td><td><code>${escaped(JSON.stringify(schema))}</code></td></tr>`,
  );
  return `<h4>Parameters</h4>\n<table>${rows.join("\n")}</table>`;
}

function schemaHtml(schema: JsonSchema): string {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  return name === undefined
    ? `<details><summary>Schema</summary>${json(schema)}</details>`
    : `<p>Schema: <a href="#schema-${escaped(name)}"><code>${escaped(name)}</code></a></p>`;
}

function json(value: unknown): string {
  return `<pre><code>${escaped(JSON.stringify(value, null, 2))}</code></pre>`;
}

/** The little Markdown that our texts have: paragraphs, and code between backticks. */
function prose(text: string): string {
  return escaped(text)
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
    .replaceAll("\n\n", "<br><br>");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}
