/** `endpoints create`, `list`, `get`, `update`, `rotate-secret` and `delete`; the others are in files of their own. */
import { integer, oneOf } from "@postrider/runtime";
import { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, option, type Run } from "../command.ts";
import { endpointLines, endpointLinesWithDefaults } from "../endpoint-lines.ts";
import { overlap } from "../option-ranges.ts";
import { readEndpoints, type Endpoint } from "../read-endpoints.ts";
import { requireSecret } from "../require-secret.ts";
import { table, type Terminal } from "../terminal.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";
import { withYes } from "../yes.ts";
import { apply, validate } from "./endpoint-apply.ts";
import { match } from "./endpoint-match.ts";
import { call, read, write } from "./endpoint-requests.ts";
import { bodyOf, withSettings, type Settings } from "./endpoint-settings.ts";
import { disable, enable, pause, resume } from "./endpoint-states.ts";
import { test } from "./endpoint-test.ts";

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
    .addCommand(apply(run))
    .addCommand(validate(run))
    .addCommand(match(run))
    .addCommand(test(run))
    .addCommand(rotateSecret(run))
    .addCommand(enable(run))
    .addCommand(pause(run))
    .addCommand(resume(run))
    .addCommand(disable(run))
    .addCommand(remove(run));
}

function create(run: Run): Command {
  const made = command<Settings & NewSecret & Why & { tenant: string }>(
    run,
    "create",
    "make an endpoint; its secret is shown this once",
    async ({ options, terminal }) => {
      const endpoint = await call<Endpoint>({
        method: "POST",
        path: "/v1/endpoints",
        headers: whyHeader(options),
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
  return withWhy(withSettings(withNewSecret(made), "required"));
}

function rotateSecret(run: Run): Command {
  const made = command<
    NewSecret & Why & { overlap?: number; ifVersion?: number }
  >(
    run,
    "rotate-secret <id>",
    "give it a new secret, shown this once; the old one signs, too, until the overlap ends",
    async ({ args, options, terminal }) => {
      const { overlap: overlapMs, ifVersion } = options;
      const endpoint = await write(args[0] ?? "", ifVersion, {
        method: "POST",
        under: "/rotate-secret",
        headers: whyHeader(options),
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
  return withWhy(withVersion(withNewSecret(made)));
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
  return command<ListOptions>(
    run,
    "list",
    "all endpoints, or those that are asked for",
    async ({ options, terminal }) => {
      const { tenant, externalId, state, type, text } = options;
      const endpoints = await readEndpoints(findAddresses().control(), {
        tenantId: tenant,
        externalId,
        state,
        eventType: type,
        text,
      });
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
  )
    .option("--tenant <id>", "only this tenant's")
    .option("--external-id <id>", "only those that you know by this id")
    .option(
      "--state <state>",
      "enabled, paused or disabled",
      option(oneOf(["enabled", "paused", "disabled"])),
    )
    .option(
      "--type <type>",
      "those that want this event type; of a pattern such as order.*, those that have it",
    )
    .option(
      "--text <text>",
      "with this text in the id, external id, description or URL",
    );
}

interface ListOptions {
  readonly tenant?: string;
  readonly externalId?: string;
  readonly state?: string;
  readonly type?: string;
  readonly text?: string;
}

function get(run: Run): Command {
  return command(
    run,
    "get <id>",
    "one endpoint, with the defaults that hold for it",
    async ({ args, terminal }) => {
      const endpoint = await read(args[0] ?? "");
      terminal.data(endpoint, () =>
        endpointLinesWithDefaults(endpoint, terminal),
      );
    },
  );
}

function update(run: Run): Command {
  const made = command<
    Settings & Why & { ifVersion?: number; disable?: boolean }
  >(
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
        headers: whyHeader(options),
        body: JSON.stringify(change),
      });
      terminal.data(endpoint, () =>
        endpointLines(endpoint as Endpoint, terminal),
      ); // PATCH answers with the endpoint
    },
  ).option("--disable", "deliver nothing to it until `endpoints enable`");
  return withWhy(withSettings(withVersion(made), "optional"));
}

function remove(run: Run): Command {
  const made = command<Why & { ifVersion?: number }>(
    run,
    "delete <id>",
    "remove it; deliveries that wait for it become dead letters",
    async ({ args, options, terminal }) => {
      const [id = ""] = args;
      await write(id, options.ifVersion, {
        method: "DELETE",
        headers: whyHeader(options),
      });
      terminal.data({ id, deleted: true }, () => `${id} is deleted.`);
    },
  );
  return withWhy(withYes(withVersion(made)));
}

function withVersion(made: Command): Command {
  return made.option(
    "--if-version <n>",
    "refuse if it has changed since (default: the version it has now)",
    option(integer(1, Number.MAX_SAFE_INTEGER)),
  );
}
