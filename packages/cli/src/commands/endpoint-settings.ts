/** The options of an endpoint's settings, for `endpoints create` and `update`. */
import { SIGNING_PROFILES, type SigningProfile } from "@postrider/core";
import { duration, integer, list, oneOf, url } from "@postrider/runtime";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { option, repeated } from "../command.ts";
import { rate } from "../option-ranges.ts";
import {
  policyBody,
  withPolicy,
  type PolicySettings,
} from "./endpoint-policy.ts";

export interface Settings extends PolicySettings {
  readonly url?: string;
  readonly types?: readonly string[];
  /** False: `--no-filter`. */
  readonly filter?: string | false;
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

export function withSettings(
  made: Command,
  url_: "required" | "optional",
): Command {
  const flag = ["--url <url>", "where to", webUrl] as const;
  if (url_ === "required") made.requiredOption(...flag);
  else made.option(...flag);
  made
    .option(
      "--types <patterns>",
      "e.g. order.paid,user.* (default on create: *)",
      option(list),
    )
    .option(
      "--filter <expression>",
      "only events for which this CEL expression is true: 'payload.total > 100'",
    )
    .option("--no-filter", "all events of its types (default on create)")
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

/** The fields of the request's body that were given. `spec`: the command that was called, for the next step that a usage error names. */
export function bodyOf(
  options: Settings,
  spec: string,
): Record<string, unknown> {
  const given: Record<string, unknown> = {
    url: options.url,
    eventTypes: options.types,
    filter: options.filter === false ? null : options.filter,
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

function rateLimitOf({ rateLimit, burst }: Settings, spec: string): unknown {
  if (typeof rateLimit === "number") return { perSecond: rateLimit, burst };
  if (burst !== undefined)
    throw new CliError(EXIT.usage, "--burst goes with --rate-limit.", {
      next: `npx postrider ${spec} --rate-limit 50/s --burst 100`,
    });
  return rateLimit === false ? null : undefined;
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

/** Keeps the text as given: a slash at the end is part of the URL. */
function webUrl(text: string): string {
  option(url)(text);
  return text;
}
