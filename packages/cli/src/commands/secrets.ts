/** `secrets status` and `secrets reencrypt`. */
import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "@postrider/core";
import { Command } from "commander";
import { EXIT, type ExitCode } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import { table, type Terminal } from "../terminal.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";
import { call } from "./endpoint-requests.ts";

/** What control answers to `GET /v1/secrets`. */
interface KeyUse {
  readonly newest: string;
  readonly remaining: number;
  readonly missing: number;
  /** Header values that no key has sealed. */
  readonly plainHeaders: number;
  readonly keys: readonly {
    readonly kid: string;
    readonly isInRing: boolean;
    readonly endpoints: number;
    readonly secrets: number;
    readonly headers: number;
  }[];
}

/** What control answers to one round of `POST /v1/secrets/reencrypt`. */
interface Round {
  readonly newest: string;
  readonly endpoints: number;
  readonly secrets: number;
  readonly headers: number;
  readonly failed: readonly Failed[];
  readonly next: string | null;
}

interface Failed {
  readonly endpointId: string;
  readonly tenantId: string;
  readonly secretId: string | null;
  readonly header: string | null;
  readonly kid: string;
  readonly reason: string;
}

export function secretsCommand(run: Run): Command {
  return new Command("secrets")
    .description(
      "which encryption keys seal endpoint secrets and header values",
    )
    .addCommand(status(run))
    .addCommand(reencrypt(run));
}

function status(run: Run): Command {
  return command(
    run,
    "status",
    "how many endpoint secrets and header values each encryption key has sealed, and how many none has",
    async ({ terminal }) => {
      const use = await keyUse();
      terminal.data(use, () => useTable(use, terminal));
      sayWhatFollows(use, terminal);
    },
  );
}

function reencrypt(run: Run): Command {
  const made = command<Why>(
    run,
    "reencrypt",
    "seal all endpoint secrets and header values with the newest encryption key; may be stopped and repeated at any time",
    async ({ options, terminal }) => {
      const failed: Failed[] = [];
      let endpoints = 0;
      let secrets = 0;
      let headers = 0;
      let after: string | null = "";
      while (after !== null) {
        const round: Round = await call<Round>({
          method: "POST",
          path: "/v1/secrets/reencrypt",
          headers: whyHeader(options),
          body: JSON.stringify({ after }),
        });
        endpoints += round.endpoints;
        secrets += round.secrets;
        headers += round.headers;
        for (const one of round.failed)
          if (failed.length < MAX_NAMED) failed.push(one);
        after = round.next;
        if (after !== null)
          terminal.progress(
            `${endpoints} endpoints are sealed with ${round.newest}`,
          );
      }
      const use = await keyUseAfter(failed);
      terminal.data({ endpoints, secrets, headers, failed, ...use }, () =>
        [
          `Sealed with ${use.newest}: ${counted(secrets, "secret")} and ${counted(headers, "header value")} of ${counted(endpoints, "endpoint")}.`,
          useTable(use, terminal),
        ].join("\n"),
      );
      for (const one of failed) terminal.say(failureLine(one));
      sayWhatFollows(use, terminal);
      return exitCodeOf(use, failed);
    },
  );
  return withWhy(made);
}

/** Failures that are named, at most; the table has the count of them all. */
const MAX_NAMED = 50;

function keyUse(): Promise<KeyUse> {
  return call<KeyUse>({ method: "GET", path: "/v1/secrets" });
}

/** Another replica may answer than the one that wrote; it reads what was written a moment later. */
const SHOWN_WITHIN_MS = 5_000;
const SHOWN_EVERY_MS = 250;

/** The use once nothing is left to be sealed, or as it is after five seconds. With secrets that failed, some are left in any case. */
async function keyUseAfter(failed: readonly Failed[]): Promise<KeyUse> {
  const until = performance.now() + SHOWN_WITHIN_MS;
  for (;;) {
    const use = await keyUse();
    const isShown = leftOf(use) === 0 || failed.length > 0;
    if (isShown || performance.now() > until) return use;
    await sleep(SHOWN_EVERY_MS);
  }
}

function useTable({ newest, keys }: KeyUse, terminal: Terminal): string {
  return table(
    ["KEY", "SECRETS", "HEADERS", "ENDPOINTS", "STATE"],
    keys.map(({ kid, isInRing, secrets, headers, endpoints }) => [
      kid,
      String(secrets),
      String(headers),
      String(endpoints),
      kid === newest ? "newest: seals" : isInRing ? "opens" : "missing",
    ]),
    terminal,
  );
}

/** What `reencrypt` can still seal. */
function leftOf({ remaining, plainHeaders }: KeyUse): number {
  return remaining + plainHeaders;
}

function failureLine(failed: Failed): string {
  const { endpointId, secretId, header, kid, reason } = failed;
  const what =
    reason === "key_missing"
      ? `the ring lacks key ${kid}`
      : `key ${kid} does not open it: another key had this id, or its bytes have changed`;
  return `Not sealed anew: ${secretId ?? `header ${header}`} of ${endpointId}: ${what}.`;
}

function sayWhatFollows(use: KeyUse, terminal: Terminal): void {
  const { newest, keys, remaining, missing, plainHeaders } = use;
  const seal = "npx postrider secrets reencrypt";
  for (const { kid, isInRing, secrets, headers } of keys)
    if (!isInRing)
      terminal.say(
        `Key ${kid} is missing, and ${counted(secrets, "secret")} and ${counted(headers, "header value")} are sealed with it: their deliveries wait, and expire. Give the key back to POSTRIDER_ENCRYPTION_KEYS, or, if it is lost, each endpoint a new secret (npx postrider endpoints rotate-secret ID --overlap 0) and its headers again (npx postrider endpoints update ID --header NAME:VALUE)`,
      );
  if (remaining > 0)
    terminal.say(
      `${counted(remaining, "secret or header value", "secrets or header values")} ${remaining === 1 ? "is" : "are"} sealed with an older key. Seal ${remaining === 1 ? "it" : "them"} with ${newest}: ${seal}`,
    );
  if (plainHeaders > 0)
    terminal.say(
      `${counted(plainHeaders, "header value")} ${plainHeaders === 1 ? "is" : "are"} not sealed. Once every dispatcher and control is of this version: ${seal}`,
    );
  const unused = keys.filter(
    ({ kid, isInRing, secrets, headers }) =>
      kid !== newest && isInRing && secrets + headers === 0,
  );
  if (unused.length === 0 || missing > 0) return;
  terminal.say(
    `No endpoint needs ${unused.map(({ kid }) => kid).join(", ")} any more. Events that brought their own destination do, until they are gone: keep it 40 days after the last ingest began to seal with ${newest}. See docs/operations.md, "Encryption keys".`,
  );
}

function exitCodeOf(use: KeyUse, failed: readonly Failed[]): ExitCode {
  return failed.length > 0 || use.missing > 0 || leftOf(use) > 0
    ? EXIT.failed
    : EXIT.done;
}
