/** `keys create`, `list`, `get` and `revoke`. */
import { duration, integer, oneOf } from "@postrider/runtime";
import { Command } from "commander";
import { pathSegment } from "../api.ts";
import { command, option, type Run } from "../command.ts";
import { fieldLines } from "../field-lines.ts";
import { requestRate } from "../option-ranges.ts";
import { table, type Terminal } from "../terminal.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";
import { withYes } from "../yes.ts";
import { call } from "./endpoint-requests.ts";

/** A key as control answers it. */
interface Key {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly tenantId: string | null;
  readonly state: string;
  readonly limitPerSecond: number | null;
  readonly limitBurst: number | null;
  readonly expiresAt: string | null;
}

interface KeyPage {
  readonly keys: readonly Key[];
  readonly nextCursor: string | null;
}

interface NewKey extends Why {
  readonly name: string;
  readonly role: string;
  readonly tenant?: string;
  readonly expiresIn?: string;
  readonly expiresAt?: string;
  readonly rateLimit?: number;
  readonly burst?: number;
}

const ANY_KEY =
  "\nEvery command sends the key in POSTRIDER_ADMIN_KEY (or the file in POSTRIDER_ADMIN_KEY_FILE). It may be any key, not only the\nadmin key: with a reader's, `endpoints list` works and `endpoints create` is refused.";

export function keysCommand(run: Run): Command {
  return new Command("keys")
    .description("who may call the APIs, and as what")
    .addHelpText("after", ANY_KEY)
    .addCommand(create(run))
    .addCommand(listAll(run))
    .addCommand(get(run))
    .addCommand(revoke(run));
}

function create(run: Run): Command {
  const made = command<NewKey>(
    run,
    "create",
    "make a key; its token goes to stdout, this once",
    async ({ options, terminal }) => {
      const key = await call<Key & { readonly token: string }>({
        method: "POST",
        path: "/v1/keys",
        headers: whyHeader(options),
        body: JSON.stringify({
          name: options.name,
          role: options.role,
          tenantId: options.tenant,
          expiresIn: options.expiresIn,
          expiresAt: options.expiresAt,
          limitPerSecond: options.rateLimit,
          limitBurst: options.burst,
        }),
      });
      terminal.data(key, () => key.token);
      terminal.say(`${key.id}: ${key.role} of ${tenantOf(key)}.`);
      terminal.say("Keep the token: it is not shown again.");
    },
  )
    .requiredOption("--name <text>", "for people: who uses it, and where")
    .requiredOption(
      "--role <role>",
      "admin (everything), publisher (publish events) or reader (read)",
      option(oneOf(["admin", "publisher", "reader"])),
    )
    .option("--tenant <id>", "for this tenant alone (default: for all)")
    .option(
      "--expires-in <duration>",
      "such as 90d (default: never)",
      asDuration,
    )
    .option("--expires-at <time>", "RFC 3339, instead of --expires-in")
    .option(
      "--rate-limit <rate>",
      "requests to each process, as 50/s, 600/m or 100/h (default: none)",
      requestRate,
    )
    .option(
      "--burst <n>",
      "how many may come at once after a rest (default: a second's worth)",
      option(integer(1, 100_000)),
    );
  return withWhy(made);
}

/** The text itself, because control takes it as it is. */
function asDuration(text: string): string {
  option(duration)(text);
  return text;
}

function listAll(run: Run): Command {
  return command<{ tenant?: string }>(
    run,
    "list",
    "all keys, or a tenant's; never their tokens",
    async ({ options, terminal }) => {
      const keys = await readKeys(options.tenant);
      terminal.data({ keys }, () =>
        keys.length === 0 ? "0 keys" : keyTable(keys, terminal),
      );
    },
  ).option("--tenant <id>", "only this tenant's");
}

/** Reads all pages of the list. */
async function readKeys(tenantId: string | undefined): Promise<Key[]> {
  const keys: Key[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    if (tenantId !== undefined) query.set("tenantId", tenantId);
    if (cursor !== null) query.set("cursor", cursor);
    const page: KeyPage = await call<KeyPage>({
      method: "GET",
      path: `/v1/keys?${query.toString()}`,
    });
    keys.push(...page.keys);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return keys;
}

function keyTable(keys: readonly Key[], terminal: Terminal): string {
  return table(
    ["ID", "ROLE", "TENANT", "STATE", "LIMIT", "EXPIRES", "NAME"],
    keys.map((key) => [
      key.id,
      key.role,
      tenantOf(key),
      key.state,
      key.limitPerSecond === null ? "none" : `${key.limitPerSecond}/s`,
      key.expiresAt ?? "never",
      key.name,
    ]),
    terminal,
  );
}

function get(run: Run): Command {
  return command(run, "get <id>", "one key", async ({ args, terminal }) => {
    const key = await call<Key>({ method: "GET", path: pathOf(args[0]) });
    terminal.data(key, () => fieldLines(key, terminal));
  });
}

function revoke(run: Run): Command {
  const made = command<Why>(
    run,
    "revoke <id>",
    "refuse it from now on, for good",
    async ({ args, options, terminal }) => {
      const key = await call<Key>({
        method: "DELETE",
        path: pathOf(args[0]),
        headers: whyHeader(options),
      });
      terminal.data(key, () => fieldLines(key, terminal));
      terminal.say(
        "Every replica refuses it as soon as it has read this, usually within a second.",
      );
    },
  );
  return withWhy(withYes(made));
}

function pathOf(id = ""): string {
  return `/v1/keys/${pathSegment(id)}`;
}

function tenantOf({ tenantId }: Key): string {
  return tenantId ?? "all";
}
