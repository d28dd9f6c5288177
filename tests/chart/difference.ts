/** What a rendering has that another has not, short enough to be read in a review. */
import { stringify } from "yaml";
import { nameOf, type ChartObject } from "./render.ts";

/**
 * Text with a line for each value that came (`+`) or went (`-`), and below it the objects in which it did. Objects that came
 * or went are lines of their own; of each kind that is new, the first object's spec (or data) is shown.
 */
export function difference(
  before: readonly ChartObject[],
  after: readonly ChartObject[],
): string {
  const old = new Map(before.map((object) => [nameOf(object), object]));
  const young = new Map(after.map((object) => [nameOf(object), object]));
  const came = after.filter((object) => !old.has(nameOf(object)));
  const went = before.filter((object) => !young.has(nameOf(object)));
  const kinds = new Set(before.map(({ kind }) => kind));
  const firsts = new Map(
    came
      // The alerts are a file of their own, with tests of its own.
      .filter(({ kind }) => !kinds.has(kind) && kind !== "PrometheusRule")
      .toReversed()
      .map((object) => [object.kind, object]),
  );
  const changes = new Map<string, ChartObject[]>();
  for (const [name, object] of young) {
    const was = old.get(name);
    if (was === undefined) continue;
    for (const line of changesOf(was, object))
      changes.set(line, [...(changes.get(line) ?? []), object]);
  }
  return [
    ...went.map((object) => `- ${nameOf(object)}`),
    ...came.map((object) => `+ ${nameOf(object)}`),
    ...[...changes].map(([line, objects]) => `${line}\n    ${brief(objects)}`),
    ...[...firsts.values()].map(
      (object) =>
        `\n${nameOf(object)}\n${stringify(object.spec ?? object.data)}`,
    ),
  ].join("\n");
}

/** `Deployment: ingest, control; Job: topics`. */
function brief(objects: readonly ChartObject[]): string {
  const kinds = Map.groupBy(objects, ({ kind }) => kind);
  return [...kinds]
    .map(([kind, all]) => {
      const names = all.map(({ metadata }) =>
        metadata.name.replace("postrider-", ""),
      );
      return `${kind}: ${names.join(", ")}`;
    })
    .join("; ");
}

function changesOf(was: ChartObject, is: ChartObject): string[] {
  const before = new Set(flat(was));
  const after = new Set(flat(is));
  return [
    ...[...before]
      .filter((line) => !after.has(line))
      .map((line) => `- ${line}`),
    ...[...after]
      .filter((line) => !before.has(line))
      .map((line) => `+ ${line}`),
  ];
}

/** Every value with its path. An entry of a list goes by what tells it from others, so that one more entry moves no other. */
function flat(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null)
    return [`${path} = ${JSON.stringify(value)}`];
  const isEntry = path.endsWith("]");
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((entry, at) => [`[${entryName(entry, path) ?? at}]`, entry])
    : Object.entries(value)
        .filter(([key]) => !(isEntry && key === "name"))
        .map(([key, entry]) => [`.${key}`, entry]);
  return entries.length === 0
    ? [`${path} = ${JSON.stringify(value)}`]
    : entries.flatMap(([key, entry]) => flat(entry, path + key));
}

interface Entry {
  readonly name?: string;
  readonly secret?: { readonly items: readonly { readonly path: string }[] };
  readonly ipBlock?: { readonly cidr: string };
  readonly port?: number | string;
  readonly ports?: readonly Entry[];
  readonly to?: readonly Entry[];
}

/** Containers go by their place: each service's is named after the service. */
function entryName(entry: unknown, path: string): string | undefined {
  if (typeof entry !== "object" || entry === null) return "";
  if (path.endsWith("ontainers")) return undefined;
  const { name, secret, ipBlock, port, ports, to } = entry as Entry; // only read where they are
  return (
    name ??
    secret?.items.map(({ path: file }) => file).join() ??
    ipBlock?.cidr ??
    (port === undefined ? undefined : String(port)) ??
    ports?.map((each) => each.port).join() ??
    (to === undefined ? undefined : "to")
  );
}
