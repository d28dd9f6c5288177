/** Reads the file of configured sources (docs/publishing.md, "Topics that are there already"). */
import { readFileSync } from "node:fs";
import { parseSources, type Source, sourceProblemText } from "@postrider/core";
import {
  ConfigFileError,
  fileProblem,
  type ConfigEntry,
  type Parse,
} from "@postrider/runtime";
import { LineCounter, parseDocument } from "yaml";
import { topicPlan } from "../topics.ts";

/** No file of sources needs more; each alias of YAML counts. */
const MOST_ALIASES = 100;

/** Text that is far from YAML has a fault at every character. */
const MOST_FAULTS = 20;

/** Reads the text of a sources file, which is YAML or JSON. Throws a `ConfigFileError` with everything that is wrong in it. */
export function readSources(text: string): readonly Source[] {
  const lines = new LineCounter();
  // The library's pretty errors quote the text for each fault, of which there may be thousands.
  const document = parseDocument(text, {
    uniqueKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  const faults = document.errors
    .slice(0, MOST_FAULTS)
    .map(({ message, pos: [offset] }) => {
      const { line, col } = lines.linePos(offset);
      return `${message} at line ${line}, column ${col}`;
    });
  let content: unknown;
  try {
    content =
      faults.length > 0 ? null : document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  if (faults.length > 0)
    throw new ConfigFileError(
      faults.map((fault) => ({ got: null, text: `is not YAML: ${fault}` })),
    );
  const { sources, problems } = parseSources(content);
  if (problems.length === 0) return sources;
  throw new ConfigFileError(
    problems.map((each) => ({ got: each.got, text: sourceProblemText(each) })),
  );
}

/** Reads the file at the path. Throws as `readSources`, and where the file cannot be read. */
export function readSourcesFile(path: string): readonly Source[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(fileProblem("", path, error).trim());
  }
  return readSources(text);
}

function topicsOf(sources: readonly Source[]): string {
  return sources.map(({ topic }) => topic).join(", ");
}

/** A source of `deliveries` would deliver without an end. */
function isOurs(topic: string, prefix: string | undefined): boolean {
  if (prefix === undefined) return false;
  return (
    topic.startsWith(`${prefix}retry.`) ||
    topicPlan({ prefix, tiers: [] }).some((ours) => ours.topic === topic)
  );
}

const sourcesFile: Parse<readonly Source[]> = Object.assign(
  (text: string) => readSources(text),
  { expects: "the path of a YAML or JSON file" },
);

/** What ingest's route role reads besides `events`. */
export const sourcesConfig = {
  sources: {
    env: "POSTRIDER_SOURCES_FILE",
    parse: sourcesFile,
    file: true,
    default: null,
    check: (values) => {
      const { sources, topicPrefix } = values as {
        sources: readonly Source[] | null;
        topicPrefix?: string;
      }; // as their own parsers return them
      const all = sources ?? [];
      const avro = all.filter(({ format }) => format === "avro");
      const ours = all.filter(({ topic }) => isOurs(topic, topicPrefix));
      const wrong = [
        ...(avro.length > 0 && values["schemaRegistryUrl"] === null
          ? [
              `has sources in Avro (${topicsOf(avro)}), but SCHEMA_REGISTRY_URL is not set`,
            ]
          : []),
        ...(ours.length > 0
          ? [
              `has topics that are Postrider's own (${topicsOf(ours)}): a source is a topic of yours`,
            ]
          : []),
      ];
      return wrong.length === 0 ? null : wrong.join("; it ");
    },
    doc: "The topics of yours that are read as they are, and how their records become events ([publishing](publishing.md#topics-that-are-there-already)).",
  },
} as const satisfies Record<string, ConfigEntry>;
