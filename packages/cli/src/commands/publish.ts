import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { buffer as readStream } from "node:stream/consumers";
import { MAX_INLINE_ATTEMPTS } from "@postrider/core";
import { duration, integer } from "@postrider/runtime";
import { Option, type Command } from "commander";
import { findAddresses, type Addresses } from "../addresses.ts";
import { isForbidden } from "../api.ts";
import { readArrivals, type Arrivals } from "../publish/arrivals.ts";
import { CliError, EXIT, reasonOf, type ExitCode } from "../cli-error.ts";
import { readEventType } from "../event-types.ts";
import { command, option, type Run } from "../command.ts";
import { postDescribedEvent } from "../publish/post-events.ts";
import { publishLines, type EventLine } from "../publish/publish-lines.ts";
import { tellPublished, tellWhatBecame } from "../publish/publish-wait.ts";
import { utf8Text } from "../publish/utf8-text.ts";
import { requireSecret } from "../require-secret.ts";
import { visible, type Terminal } from "../terminal.ts";

interface PublishOptions {
  readonly tenant?: string;
  readonly type?: string;
  readonly example?: string;
  readonly id?: string;
  readonly payload?: string;
  readonly file?: string;
  readonly ndjson?: string;
  readonly fromLine?: number;
  readonly to?: string;
  readonly secret?: string;
  readonly maxAttempts?: number;
  readonly wait?: boolean;
  readonly timeout: number;
}

export function publishCommand(run: Run): Command {
  const made = command<PublishOptions>(
    run,
    "publish",
    "publish one event, or many from a file of JSON envelopes",
    ({ options, terminal }) => publish(options, terminal),
  )
    .option("--type <type>", "e.g. order.paid")
    .option(
      "--example <type>",
      "an event of this type, with the example of the catalogue (event-types)",
    )
    .option("--payload <json>", "the payload; it is sent byte for byte")
    .option("--file <path>", "the payload from a file (default: stdin)")
    .option(
      "--ndjson <path>",
      "many events, a JSON envelope a line; - is stdin",
    )
    .option(
      "--from-line <n>",
      "with --ndjson: leave out what is before this line, because it is published",
      option(integer(1, Number.MAX_SAFE_INTEGER)),
    );
  return withCommon(made);
}

/** The short form of `publish --example`. */
export function triggerCommand(run: Run): Command {
  return withCommon(
    command<PublishOptions>(
      run,
      "trigger <type>",
      "publish the example of an event type of the catalogue",
      ({ args, options, terminal }) =>
        publish({ ...options, example: args[0] ?? "" }, terminal),
    ),
  );
}

async function publish(
  options: PublishOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const addresses = findAddresses();
  const { ndjson: path, fromLine } = options;
  if (path !== undefined) refuseSingles(options);
  else if (fromLine !== undefined)
    throw usage("--from-line goes with --ndjson.");
  const lines = path === undefined ? [] : await readLines(path, fromLine);
  const envelope =
    path === undefined ? await envelopeOf(options, addresses) : "";
  const before = await arrivalsBefore(addresses, options, terminal);
  const ingest = addresses.ingest();
  const events =
    path === undefined
      ? await postDescribedEvent(ingest, envelope)
      : await publishLines(ingest, lines, { path, terminal });
  if (options.wait === true)
    return await tellWhatBecame(addresses, {
      events,
      before,
      timeoutMs: options.timeout,
      terminal,
    });
  tellPublished(events, terminal);
  terminal.say(
    visible(
      `Published. See what became of it: npx postrider events get ${events[0]?.id} --tenant ${events[0]?.tenantId}`,
    ),
  );
  return EXIT.done;
}

function withCommon(made: Command): Command {
  return made
    .option("--tenant <id>", "whose event it is")
    .option(
      "--id <id>",
      "names the event; a repeat is not delivered again (default: a new one)",
    )
    .option(
      "--to <url>",
      "deliver to this URL alone, with no registered endpoint",
    )
    .option("--secret <secret>", "signs it; with --to")
    .option(
      "--max-attempts <n>",
      "with --to (default 5)",
      option(integer(1, MAX_INLINE_ATTEMPTS)),
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

/** Refuses options that describe a single event: with --ndjson each line contains them. */
function refuseSingles(options: PublishOptions): void {
  const { tenant, type, example, id, payload, file, to, secret } = options;
  const given = { tenant, type, example, id, payload, file, to, secret };
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

/** How often the event had come in before it is published. Needed, and possible, only for `--wait` with an id that the caller chose: only then can this be a repeat. */
async function arrivalsBefore(
  addresses: Addresses,
  { wait: isWaiting, id, tenant }: PublishOptions,
  terminal: Terminal,
): Promise<Arrivals | null> {
  if (isWaiting !== true || id === undefined || tenant === undefined)
    return null;
  try {
    return await readArrivals(addresses.control(), { id, tenantId: tenant });
  } catch (error) {
    if (!isForbidden(error)) throw error; // a publisher's or a tenant's key may not ask, and may publish
    terminal.say(
      visible(
        `Whether ${id} was published before is not known: this key may not ask. A repeat is not sent again.`,
      ),
    );
    return null;
  }
}

/** The envelope's text, with the payload's text inserted unchanged: receivers get exactly these bytes. */
async function envelopeOf(
  options: PublishOptions,
  addresses: Addresses,
): Promise<string> {
  const { tenant, example, type = example, to, secret, maxAttempts } = options;
  if (tenant === undefined || type === undefined)
    throw usage(
      "--tenant is needed, and --type or --example; or --ndjson instead.",
    );
  if (to !== undefined && secret === undefined)
    throw usage("--to needs --secret: every delivery is signed.");
  if (secret !== undefined) requireSecret(secret);
  const payload =
    example === undefined
      ? (await payloadOf(options)).trim()
      : await exampleOf({ ...options, tenant, example }, addresses);
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

/** The payload of the catalogue's example, for the tenant's events. */
async function exampleOf(
  options: PublishOptions & {
    readonly tenant: string;
    readonly example: string;
  },
  addresses: Addresses,
): Promise<string> {
  const { tenant, example: name, type, payload, file } = options;
  for (const [other, value] of Object.entries({ type, payload, file }))
    if (value !== undefined)
      throw usage(`--${other} does not go with --example, which says it.`);
  const found = await readEventType(addresses.control(), name, tenant);
  if (found.example !== null) return JSON.stringify(found.example);
  throw new CliError(EXIT.notFound, `The event type ${name} has no example.`, {
    next: `npx postrider publish --tenant ${tenant} --type ${name} --payload JSON   (or give it one: npx postrider event-types apply)`,
  });
}

async function payloadOf(options: PublishOptions): Promise<string> {
  if (options.payload !== undefined) return options.payload;
  if (options.file !== undefined) return await readText(options.file);
  if (process.stdin.isTTY)
    throw usage("A payload is needed: --payload, --file, or on stdin.");
  return await readText("-");
}

/** Reads the events of a file, from a line on. All lines are read before the first is sent, so that a line that is not JSON stops the command before anything is published. */
async function readLines(path: string, fromLine = 1): Promise<EventLine[]> {
  const all = (await readText(path)).split("\n");
  const lines = all
    .map((line, at) => ({ number: at + 1, text: line.trim() }))
    .filter(({ number, text }) => text !== "" && number >= fromLine);
  if (lines.length === 0)
    throw usage(
      fromLine === 1
        ? `${path} holds no event.`
        : `${path} holds no event from line ${fromLine} on.`,
    );
  for (const { number, text } of lines) requireJson(text, `Line ${number}`);
  return lines;
}

async function readText(path: string): Promise<string> {
  if (path === "-")
    return utf8Text(await readStream(process.stdin), "Standard input");
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CliError(EXIT.usage, `${path} cannot be read.`, {
      why: reasonOf(error),
    });
  }
  return utf8Text(bytes, path);
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
