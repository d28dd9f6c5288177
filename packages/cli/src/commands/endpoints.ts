import { SIGNING_PROFILES, type SigningProfile } from "@postrider/core";
import { duration, integer, list, oneOf, url } from "@postrider/runtime";
import { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi, pathSegment, type ApiRequest } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, option, repeated, type Run } from "../command.ts";
import { endpointLines } from "../endpoint-lines.ts";
import { overlap, rate } from "../option-ranges.ts";
import { readEndpoints, type Endpoint } from "../read-endpoints.ts";
import { requireSecret } from "../require-secret.ts";
import { table, type Terminal } from "../terminal.ts";
import {
  policyBody,
  withPolicy,
  type PolicySettings,
} from "./endpoint-policy.ts";
import { disable, enable, pause, resume } from "./endpoint-states.ts";

interface Settings extends PolicySettings {
  readonly url?: string;
  readonly types?: readonly string[];
  readonly description?: string;
  readonly externalId?: string;
  readonly header?: readonly string[];
  readonly timeout?: number;
  readonly maxConcurrency?: number;
  /** False: `--no-rate-limit`. */
  readonly rateLimit?: number | false;
  readonly burst?: number;
  readonly signing?: readonly SigningProfile[];
}

/** A secret of the user's own, or the type of the one that is to be made. */
interface NewSecret {
  readonly secret?: string;
  readonly ed25519?: boolean;
}

export function endpointsCommand(run: Run): Command {
  return new Command("endpoints")
    .description("where events go: URLs, what they want, their secrets")
    .addCommand(create(run))
    .addCommand(listAll(run))
    .addCommand(get(run))
    .addCommand(update(run))
    .addCommand(rotateSecret(run))
    .addCommand(enable(run))
    .addCommand(pause(run))
    .addCommand(resume(run))
    .addCommand(disable(run))
    .addCommand(remove(run));
}

function create(run: Run): Command {
  const made = command<Settings & NewSecret & { tenant: string }>(
    run,
    "create",
    "make an endpoint; its secret is shown this once",
    async ({ options, terminal }) => {
      const endpoint = await call<Endpoint>({
        method: "POST",
        path: "/v1/endpoints",
        body: JSON.stringify({
          tenantId: options.tenant,
          eventTypes: ["*"],
          ...bodyOf(options, "endpoints create --tenant TENANT --url URL"),
          ...newSecretOf(options),
        }),
      });
      showSecret(endpoint, terminal);
    },
  ).requiredOption("--tenant <id>", "whose endpoint it is");
  return withSettings(withNewSecret(made), "required");
}

function rotateSecret(run: Run): Command {
  const made = command<NewSecret & { overlap?: number; ifVersion?: number }>(
    run,
    "rotate-secret <id>",
    "give it a new secret, shown this once; the old one signs, too, until the overlap ends",
    async ({ args, options, terminal }) => {
      const { overlap: overlapMs, ifVersion } = options;
      const endpoint = await write(args[0] ?? "", ifVersion, {
        method: "POST",
        under: "/rotate-secret",
        body: JSON.stringify({
          ...newSecretOf(options),
          ...(overlapMs === undefined ? {} : { overlapMs }),
        }),
      });
      showSecret(endpoint as Endpoint, terminal); // the route answers with the endpoint
    },
  ).option(
    "--overlap <duration>",
    "how long the old secret signs, too, up to 30d; 0 ends it at once (default: 24h)",
    overlap,
  );
  return withVersion(withNewSecret(made));
}

function withNewSecret(made: Command): Command {
  return made
    .option("--secret <secret>", "your own; else one is made")
    .option("--ed25519", "make an ed25519 key: receivers verify with whpk_…");
}

function newSecretOf({ secret, ed25519 }: NewSecret): Record<string, string> {
  if (secret !== undefined && ed25519 === true)
    throw new CliError(
      EXIT.usage,
      "--secret does not go with --ed25519, which makes a secret.",
      { next: "Leave one of them out; --secret whsk_… is a key of your own." },
    );
  if (secret !== undefined) requireSecret(secret);
  return {
    ...(secret === undefined ? {} : { secret }),
    ...(ed25519 === true ? { secretType: "ed25519" } : {}),
  };
}

/** The endpoint with its new secret. */
function showSecret(endpoint: Endpoint, terminal: Terminal): void {
  terminal.data(endpoint, () => endpointLines(endpoint, terminal));
  terminal.say("Keep the secret: it is not shown again.");
  const publicKey = endpoint.secrets?.at(-1)?.publicKey;
  if (typeof publicKey === "string")
    terminal.say(`Receivers verify with the public key: ${publicKey}`);
}

function listAll(run: Run): Command {
  return command<{ tenant?: string }>(
    run,
    "list",
    "all endpoints, or a tenant's",
    async ({ options, terminal }) => {
      const endpoints = await readEndpoints(
        findAddresses().control(),
        options.tenant,
      );
      const answer = { endpoints };
      terminal.data(answer, () =>
        endpoints.length === 0
          ? "0 endpoints"
          : table(
              ["ID", "TENANT", "STATE", "TYPES", "URL"],
              endpoints.map((endpoint) => [
                endpoint.id,
                endpoint.tenantId,
                endpoint.state,
                endpoint.eventTypes.join(","),
                endpoint.url,
              ]),
              terminal,
            ),
      );
    },
  ).option("--tenant <id>", "only this tenant's");
}

function get(run: Run): Command {
  return command(
    run,
    "get <id>",
    "one endpoint",
    async ({ args, terminal }) => {
      const endpoint = await read(args[0] ?? "");
      terminal.data(endpoint, () => endpointLines(endpoint, terminal));
    },
  );
}

function update(run: Run): Command {
  const made = command<Settings & { ifVersion?: number; disable?: boolean }>(
    run,
    "update <id>",
    "change what is given, keep the rest",
    async ({ args, options, terminal }) => {
      const change = {
        ...bodyOf(options, "endpoints update ID"),
        ...(options.disable === true ? { state: "disabled" } : {}),
      };
      if (Object.keys(change).length === 0)
        throw new CliError(EXIT.usage, "Nothing to change was given.", {
          next: "npx postrider endpoints update --help",
        });
      const endpoint = await write(args[0] ?? "", options.ifVersion, {
        method: "PATCH",
        body: JSON.stringify(change),
      });
      terminal.data(endpoint, () =>
        endpointLines(endpoint as Endpoint, terminal),
      ); // PATCH answers with the endpoint
    },
  ).option("--disable", "deliver nothing to it until `endpoints enable`");
  return withSettings(withVersion(made), "optional");
}

function remove(run: Run): Command {
  const made = command<{ ifVersion?: number }>(
    run,
    "delete <id>",
    "remove it; deliveries that wait for it become dead letters",
    async ({ args, options, terminal }) => {
      const [id = ""] = args;
      await write(id, options.ifVersion, { method: "DELETE" });
      terminal.data({ id, deleted: true }, () => `${id} is deleted.`);
    },
  );
  return withVersion(made);
}

function withSettings(made: Command, url_: "required" | "optional"): Command {
  const flag = ["--url <url>", "where to", webUrl] as const;
  if (url_ === "required") made.requiredOption(...flag);
  else made.option(...flag);
  made
    .option(
      "--types <patterns>",
      "e.g. order.paid,user.* (default on create: *)",
      option(list),
    )
    .option("--description <text>", "for people")
    .option("--external-id <id>", "your own id of it")
    .option(
      "--header <name:value>",
      "sent with each request; may be repeated; an update replaces all",
      repeated,
    )
    .option(
      "--timeout <duration>",
      "of an attempt, 1s to 60s",
      option(duration),
    )
    .option(
      "--max-concurrency <n>",
      "requests at once",
      option(integer(1, 1_000)),
    )
    .option(
      "--rate-limit <rate>",
      "attempts that may start: 50/s, 600/m or 100/h; 3.6/h to 100000/s",
      rate,
    )
    .option("--no-rate-limit", "as many as its concurrency allows (default)")
    .option(
      "--burst <n>",
      "how many of them at once (default: a second's worth)",
      option(integer(1, 100_000)),
    );
  return withPolicy(made).option(
    "--signing <profiles>",
    "standard, hmac-hex, or both with a comma (default on create: standard)",
    (text) => option(list)(text).map(option(oneOf(SIGNING_PROFILES))),
  );
}

function withVersion(made: Command): Command {
  return made.option(
    "--if-version <n>",
    "refuse if it has changed since (default: the version it has now)",
    option(integer(1, Number.MAX_SAFE_INTEGER)),
  );
}

/** Keeps the text as given: a slash at the end is part of the URL. */
function webUrl(text: string): string {
  option(url)(text);
  return text;
}

function rateLimitOf({ rateLimit, burst }: Settings, spec: string): unknown {
  if (typeof rateLimit === "number") return { perSecond: rateLimit, burst };
  if (burst !== undefined)
    throw new CliError(EXIT.usage, "--burst goes with --rate-limit.", {
      next: `npx postrider ${spec} --rate-limit 50/s --burst 100`,
    });
  return rateLimit === false ? null : undefined;
}

/** `spec`: the command that was called, for the next step that a usage error names. */
function bodyOf(options: Settings, spec: string): Record<string, unknown> {
  const given: Record<string, unknown> = {
    url: options.url,
    eventTypes: options.types,
    description: options.description,
    externalId: options.externalId,
    headers:
      options.header === undefined
        ? undefined
        : headersOf(options.header, spec),
    timeoutMs: options.timeout,
    maxConcurrency: options.maxConcurrency,
    rateLimit: rateLimitOf(options, spec),
    ...policyBody(options),
    signing: options.signing,
  };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
}

function headersOf(
  given: readonly string[],
  spec: string,
): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const colon = text.indexOf(":");
      if (colon < 1)
        throw new CliError(
          EXIT.usage,
          `--header ${text}: it must be name:value.`,
          { next: `npx postrider ${spec} --header "x-team: billing"` },
        );
      return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
    }),
  );
}

function pathOf(id: string): string {
  return `/v1/endpoints/${pathSegment(id)}`;
}

function read(id: string): Promise<Endpoint> {
  return call({ method: "GET", path: pathOf(id) });
}

/** Sends a write for a version of the endpoint: the given one, else the current one, which is read first. */
async function write(
  id: string,
  ifVersion: number | undefined,
  { under = "", ...request }: Omit<ApiRequest, "path"> & { under?: string },
): Promise<unknown> {
  const version = ifVersion ?? (await read(id)).version;
  return await call({
    ...request,
    path: `${pathOf(id)}${under}`,
    headers: matching(version),
  });
}

function matching(version: number | undefined): Record<string, string> {
  return version === undefined ? {} : { "if-match": `"${version}"` };
}

async function call<T>(request: ApiRequest): Promise<T> {
  return (await callApi(findAddresses().control(), request)) as T; // this is what control's API answers
}
