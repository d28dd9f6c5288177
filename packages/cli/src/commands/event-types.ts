/** `event-types list`, `get`, `delete` and `policy`; `apply` is in a file of its own. */
import { integer } from "@postrider/runtime";
import { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { pathSegment } from "../api.ts";
import { command, option, type Run } from "../command.ts";
import { matching } from "../endpoint-path.ts";
import {
  ownerOf,
  readEventType,
  readEventTypes,
  typePath,
} from "../event-types.ts";
import { fieldLines } from "../field-lines.ts";
import { table } from "../terminal.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";
import { withYes } from "../yes.ts";
import { call } from "./endpoint-requests.ts";
import { apply } from "./event-type-apply.ts";

interface OfTenant {
  readonly tenant?: string;
}

export function eventTypesCommand(run: Run): Command {
  return new Command("event-types")
    .description("what events there are, and what a tenant's are held to")
    .addCommand(listAll(run))
    .addCommand(get(run))
    .addCommand(apply(run))
    .addCommand(remove(run))
    .addCommand(policy(run));
}

function listAll(run: Run): Command {
  return command<OfTenant>(
    run,
    "list",
    "all event types, or those that a tenant's events may be of",
    async ({ options, terminal }) => {
      const control = findAddresses().control();
      const eventTypes = await readEventTypes(control, options.tenant);
      terminal.data({ eventTypes }, () =>
        eventTypes.length === 0
          ? "0 event types"
          : table(
              ["NAME", "TENANT", "VERSION", "SCHEMA", "EXAMPLE", "DESCRIPTION"],
              eventTypes.map((type) => [
                type.name,
                ownerOf(type.tenantId),
                String(type.version),
                type.schema === null ? "no" : "yes",
                type.example === null ? "no" : "yes",
                type.description,
              ]),
              terminal,
            ),
      );
    },
  ).option("--tenant <id>", "this tenant's, and those of every tenant");
}

function get(run: Run): Command {
  return command<OfTenant>(
    run,
    "get <name>",
    "one event type, with its schema and its example",
    async ({ args, options, terminal }) => {
      const control = findAddresses().control();
      const type = await readEventType(control, args[0] ?? "", options.tenant);
      terminal.data(type, () => fieldLines(type, terminal));
    },
  ).option("--tenant <id>", "as this tenant's events are held to it");
}

function remove(run: Run): Command {
  const made = command<OfTenant & Why & { ifVersion?: number }>(
    run,
    "delete <name>",
    "remove it from the catalogue",
    async ({ args, options, terminal }) => {
      const [name = ""] = args;
      const { tenant } = options;
      await call({
        method: "DELETE",
        path: typePath(name, tenant),
        headers: {
          ...whyHeader(options),
          ...(options.ifVersion === undefined
            ? { "if-match": "*" }
            : matching(options.ifVersion)),
        },
      });
      terminal.data(
        { name, tenantId: tenant ?? null, deleted: true },
        () => `${name} is deleted.`,
      );
    },
  )
    .option("--tenant <id>", "the tenant's own (default: every tenant's)")
    .option(
      "--if-version <n>",
      "refuse if it has changed since",
      option(integer(1, Number.MAX_SAFE_INTEGER)),
    );
  return withWhy(withYes(made));
}

interface Policy {
  readonly tenantId: string;
  readonly level: string;
}

const LEVELS = ["off", "known", "schema"];

function policy(run: Run): Command {
  const made = command<Why & { tenant: string }>(
    run,
    "policy [level]",
    "what a tenant's events are held to: off, known (the type must be here) or schema (and the payload satisfy it)",
    async ({ args, options, terminal }) => {
      const [level] = args;
      if (level !== undefined && !LEVELS.includes(level))
        throw new CliError(EXIT.usage, `There is no level ${level}.`, {
          next: `One of ${LEVELS.join(", ")}.`,
        });
      const path = `/v1/event-type-policies/${pathSegment(options.tenant)}`;
      const found = await call<Policy>(
        level === undefined
          ? { method: "GET", path }
          : {
              method: "PUT",
              path,
              headers: whyHeader(options),
              body: JSON.stringify({ level }),
            },
      );
      terminal.data(found, () => `${found.tenantId}: ${found.level}`);
    },
  ).requiredOption("--tenant <id>", "whose events");
  return withWhy(made);
}
