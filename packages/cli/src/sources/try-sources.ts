import { readFileSync } from "node:fs";
import { counted, type Source } from "@postrider/core";
import {
  type Admin,
  createRegistryAsJson,
  createSourceDecoder,
  type Decoder,
  missingRights,
  readSources,
  readSourcesFile,
} from "@postrider/messaging";
import { registryAccess, systemClock } from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import type { Action } from "../command.ts";
import { quietLog, withAdmin } from "../kafka.ts";
import { formOf, type FormOptions } from "../lists/list-output.ts";
import { withoutRights } from "../topics/without-rights.ts";
import { lastRecords } from "./last-records.ts";
import { tryRecord, type TriedRecord } from "./tried-record.ts";
import { tableOf } from "./tried-table.ts";

export interface TryOptions extends FormOptions {
  readonly topic?: string;
  readonly last?: number;
}

const USUAL_LAST = 10;
const STDIN = 0;

/** Reads the end of each source's topic, joins no group and commits nothing, and shows what each record would become by the rules of ingest. */
export const trySources: Action<TryOptions> = async ({
  args,
  options,
  terminal,
}) => {
  const form = formOf(options);
  const sources = chosen(sourcesOf(args[0] ?? ""), options.topic);
  const asJson = await avroReader(sources);
  const { brokers } = findAddresses().kafka();
  const tried = await withAdmin(brokers, async (admin) => {
    await requireReadable(admin, sources, brokers);
    const all: TriedRecord[] = [];
    for (const source of sources) {
      const decode = createSourceDecoder(source, asJson);
      const last = options.last ?? USUAL_LAST;
      for (const raw of await lastRecords(admin, source.topic, last))
        all.push(await tryRecord(raw, decode));
    }
    return all;
  });
  if (form === "json") terminal.line(JSON.stringify({ records: tried }));
  else if (form === "ndjson")
    for (const one of tried) terminal.line(JSON.stringify(one));
  else if (tried.length > 0) terminal.line(tableOf(tried, terminal));
  const refused = tried.filter(({ event }) => event === null).length;
  terminal.say(
    tried.length === 0
      ? "There is no record yet."
      : `${counted(tried.length, "record")}, ${refused} of them would be refused. Nothing was committed.`,
  );
};

function sourcesOf(path: string): readonly Source[] {
  try {
    return path === "-"
      ? readSources(readFileSync(STDIN, "utf8"))
      : readSourcesFile(path);
  } catch (error) {
    throw new CliError(EXIT.usage, `${path} cannot be used.`, {
      why: reasonOf(error),
      next: "Correct the file (docs/publishing.md, Topics that are there already). Ingest would not start with it either.",
    });
  }
}

function chosen(
  sources: readonly Source[],
  topic: string | undefined,
): readonly Source[] {
  if (topic === undefined) return sources;
  const found = sources.filter((source) => source.topic === topic);
  if (found.length > 0) return found;
  throw new CliError(EXIT.notFound, `No source has the topic ${topic}.`, {
    why: `There are: ${sources.map((source) => source.topic).join(", ")}.`,
  });
}

/** Refuses what nothing would come of: kafkajs asks for a missing topic again for ever. */
async function requireReadable(
  admin: Admin,
  sources: readonly Source[],
  brokers: readonly string[],
): Promise<void> {
  const topics = sources.map(({ topic }) => topic);
  const read = topics.map((name) => ({
    resource: "topic" as const,
    name,
    isPrefix: false,
    operations: ["Read" as const],
  }));
  const rights = await missingRights(admin, read).catch(() => []);
  const [first] = rights;
  if (first !== undefined)
    throw withoutRights(`${first.name} may not be read.`, { brokers, rights });
  const present = await admin.listTopics();
  const missing = topics.find((topic) => !present.includes(topic));
  if (missing !== undefined)
    throw new CliError(EXIT.notFound, `There is no topic ${missing}.`, {
      why: "Postrider makes no topics of others, or this user may not describe it.",
      next: "Correct the file, or have the topic made.",
    });
}

/** Reads Avro, if a source needs it. */
async function avroReader(
  sources: readonly Source[],
): Promise<Decoder<Buffer>> {
  const avro = sources.find(({ format }) => format === "avro");
  if (avro === undefined) return () => NO_AVRO;
  const log = quietLog();
  const registry = registryAccess(findAddresses().registry(), log);
  if (registry === null)
    throw new CliError(
      EXIT.usage,
      `The source ${avro.topic} is in Avro, and no schema registry is known.`,
      { next: "Set SCHEMA_REGISTRY_URL (docs/security.md, Schema registry)" },
    );
  return await createRegistryAsJson({ registry, log, clock: systemClock });
}

const NO_AVRO = {
  kind: "unreadable",
  reason: "unreadable",
  detail: "no source is in Avro",
} as const;
