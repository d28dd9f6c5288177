import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { text as readStream } from "node:stream/consumers";
import { duration, integer } from "@postrider/runtime";
import { Option, type Command } from "commander";
import { findAddresses, type Addresses } from "../addresses.ts";
import { callApi } from "../api.ts";
import { readArrivals, type Arrivals } from "../publish/arrivals.ts";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import { command, option, type Run } from "../command.ts";
import { tellWhatBecame } from "../publish/publish-wait.ts";
import { requireSecret } from "../require-secret.ts";
import type { Terminal } from "../terminal.ts";
import type { PublishedEvent } from "../publish/wait-for-events.ts";

interface PublishOptions {
  readonly tenant?: string;
  readonly type?: string;
  readonly id?: string;
  readonly payload?: string;
  readonly file?: string;
  readonly ndjson?: string;
  readonly to?: string;
  readonly secret?: string;
  readonly maxAttempts?: number;
  readonly wait?: boolean;
  readonly timeout: number;
}

export function publishCommand(run: Run): Command {
  return command<PublishOptions>(
    run,
    "publish",
    "publish one event, or many from a file of JSON envelopes",
    async ({ options, terminal }) => {
      const addresses = findAddresses();
      if (options.ndjson !== undefined) refuseSingles(options);
      const envelopes =
        options.ndjson === undefined
          ? [await envelopeOf(options)]
          : await readLines(options.ndjson);
      const before = await arrivalsBefore(addresses, options);
      const events = await publish(addresses, envelopes, terminal);
      if (options.wait === true)
        return await tellWhatBecame(addresses, {
          events,
          before,
          timeoutMs: options.timeout,
          terminal,
        });
      terminal.data({ events }, () =>
        events.map((event) => event.id).join("\n"),
      );
      terminal.say(
        `Published. See what became of it: npx postrider events get ${events[0]?.id} --tenant ${events[0]?.tenantId}`,
      );
      return EXIT.done;
    },
  )
    .option("--tenant <id>", "whose event it is")
    .option("--type <type>", "e.g. order.paid")
    .option(
      "--id <id>",
      "names the event; a repeat is not delivered again (default: a new one)",
    )
    .option("--payload <json>", "the payload; it is sent byte for byte")
    .option("--file <path>", "the payload from a file (default: stdin)")
    .option(
      "--ndjson <path>",
      "many events, a JSON envelope a line; - is stdin",
    )
    .option(
      "--to <url>",
      "deliver to this URL alone, with no registered endpoint",
    )
    .option("--secret <secret>", "signs it; with --to")
    .option(
      "--max-attempts <n>",
      "with --to (default 5)",
      option(integer(1, 100)),
    )
    .option(
      "--wait",
      "until every delivery is delivered or expired; exit 1 unless all are delivered",
    )
    .addOption(
      new Option("--timeout <duration>", "how long --wait waits")
        .argParser(option(duration))
        .default(600_000, "10m"),
    );
}

/** Each of these is said by the lines themselves. */
function refuseSingles(options: PublishOptions): void {
  const { tenant, type, id, payload, file, to, secret } = options;
  const given = { tenant, type, id, payload, file, to, secret };
  for (const [name, value] of Object.entries(given))
    if (value !== undefined)
      throw usage(
        `--${name} does not go with --ndjson: each line says it itself.`,
      );
  if (options.maxAttempts !== undefined)
    throw usage(
      "--max-attempts does not go with --ndjson: each line says it itself.",
    );
}

/** Only a waited-for event with an id of the caller's can be told from its repeat. */
async function arrivalsBefore(
  addresses: Addresses,
  { wait: isWaiting, id, tenant }: PublishOptions,
): Promise<Arrivals | null> {
  return isWaiting === true && id !== undefined && tenant !== undefined
    ? await readArrivals(addresses.control(), { id, tenantId: tenant })
    : null;
}

/** The envelope's text, with the payload's text put in untouched: its bytes are what receivers get. */
async function envelopeOf(options: PublishOptions): Promise<string> {
  const { tenant, type, to, secret, maxAttempts } = options;
  if (tenant === undefined || type === undefined)
    throw usage("--tenant and --type are needed, or --ndjson.");
  if (to !== undefined && secret === undefined)
    throw usage("--to needs --secret: every delivery is signed.");
  if (secret !== undefined) requireSecret(secret);
  const payload = (await payloadOf(options)).trim();
  if (payload === "")
    throw usage("The payload is empty: --payload, --file, or JSON on stdin.");
  requireJson(payload, "The payload");
  const head = JSON.stringify({
    id: options.id ?? `evt_${randomUUID()}`,
    type,
    tenantId: tenant,
    ...(to === undefined
      ? {}
      : { destination: { url: to, secret, maxAttempts } }),
  });
  return `${head.slice(0, -1)},"payload":${payload}}`;
}

async function payloadOf(options: PublishOptions): Promise<string> {
  if (options.payload !== undefined) return options.payload;
  if (options.file !== undefined) return await readText(options.file);
  if (process.stdin.isTTY)
    throw usage("A payload is needed: --payload, --file, or on stdin.");
  return await readText("-");
}

async function readLines(path: string): Promise<string[]> {
  const lines = (await readText(path))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0) throw usage(`${path} holds no event.`);
  lines.forEach((line, at) => requireJson(line, `Line ${at + 1}`));
  return lines;
}

async function readText(path: string): Promise<string> {
  if (path === "-") return await readStream(process.stdin);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError(EXIT.usage, `${path} cannot be read.`, {
      why: reasonOf(error),
    });
  }
}

const BATCH_EVENTS = 100;
const BATCH_CHARACTERS = 512 * 1024;

async function publish(
  addresses: Addresses,
  envelopes: readonly string[],
  terminal: Terminal,
): Promise<PublishedEvent[]> {
  const published: PublishedEvent[] = [];
  for (const batch of batchesOf(envelopes)) {
    const answer = (await callApi(addresses.ingest(), {
      method: "POST",
      path: "/v1/events",
      // Alone it is not put into a list, so that a refusal names `type`, not `events[0].type`.
      body:
        envelopes.length === 1
          ? batch.join("")
          : `{"events":[${batch.join(",")}]}`,
    })) as { readonly events: readonly PublishedEvent[] }; // the door's contract
    published.push(...answer.events);
    if (envelopes.length > BATCH_EVENTS)
      terminal.progress(`published ${published.length} of ${envelopes.length}`);
  }
  return published;
}

function* batchesOf(envelopes: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let characters = 0;
  for (const envelope of envelopes) {
    const isFull =
      batch.length >= BATCH_EVENTS ||
      characters + envelope.length > BATCH_CHARACTERS;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(envelope);
    characters += envelope.length;
  }
  if (batch.length > 0) yield batch;
}

function requireJson(text: string, what: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new CliError(EXIT.usage, `${what} is not JSON.`, {
      why: reasonOf(error),
      next: `npx postrider publish --tenant acme --type order.paid --payload '{"orderId":1}'`,
    });
  }
}

function usage(what: string): CliError {
  return new CliError(EXIT.usage, what, {
    next: "npx postrider publish --help",
  });
}
