/** `listen`: this machine as an endpoint, for as long as the command runs. */
import { hostname, userInfo } from "node:os";
import { list, port, url } from "@postrider/runtime";
import type { Command } from "commander";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import { command, option, type Run } from "../command.ts";
import { interrupted } from "../interrupted.ts";
import { forward } from "../listen/forward.ts";
import { startListener, type Listener, type Seen } from "../listen/listener.ts";
import {
  makeTemporaryEndpoint,
  type TemporaryEndpoint,
} from "../listen/temporary-endpoint.ts";
import { visible, type Terminal } from "../terminal.ts";

interface Options {
  readonly tenant: string;
  readonly types: readonly string[];
  readonly forwardTo?: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string;
}

/** Longer than any answer of the service may take, so that Postrider hears the 504 and not its own deadline. */
const ENDPOINT_TIMEOUT_MS = 30_000;
const FORWARD_TIMEOUT_MS = 25_000;
/** How long what is under way may still be answered after Ctrl-C. */
const GRACE_MS = 3_000;
const SHOWN_BODY = 2_000;

export function listenCommand(run: Run): Command {
  return command<Options>(
    run,
    "listen",
    "a temporary endpoint on this machine: print each delivery, and pass it on to your service",
    async ({ options, terminal }) => await listen(options, terminal),
  )
    .requiredOption("--tenant <id>", "whose events")
    .option(
      "--types <patterns>",
      "which of them, e.g. order.paid,user.*",
      option(list),
      ["*"],
    )
    .option(
      "--forward-to <url>",
      "your service; its status is the answer. Without it the answer is 200, and the payload is printed",
      exactUrl,
    )
    .option(
      "--name <name>",
      "one listen at a time has it: the next takes over",
      usualName(),
    )
    .option(
      "--host <address>",
      "where to listen; 0.0.0.0 with --public-url of this machine",
      "127.0.0.1",
    )
    .option("--port <n>", "0 takes any that is free", option(port), 0)
    .option(
      "--public-url <url>",
      "where Postrider's dispatchers reach this, such as a tunnel's URL (default: the address that is listened on, which is right for dev)",
      exactUrl,
    );
}

async function listen(options: Options, terminal: Terminal): Promise<void> {
  const ended = interrupted(); // from here on Ctrl-C leaves no endpoint behind
  let endpoint: TemporaryEndpoint | null = null;
  const { forwardTo, tenant, types, name } = options;
  const listener = await started(options, {
    secret: () => endpoint?.secret ?? "",
    onDelivery: (seen) =>
      terminal.data(seen, () => render(seen, options, terminal)),
  });
  try {
    endpoint = await makeTemporaryEndpoint({
      name,
      tenantId: tenant,
      url: options.publicUrl ?? `${listener.url}/`,
      eventTypes: types,
      timeoutMs: ENDPOINT_TIMEOUT_MS,
    });
    for (const id of endpoint.replaced)
      terminal.say(
        `${id}, of an earlier listen --name ${name}, is deleted; what waited for it is dead letters.`,
      );
    if (terminal.json)
      terminal.line(
        JSON.stringify({
          endpointId: endpoint.id,
          secret: endpoint.secret,
          tenantId: tenant,
          name,
          url: endpoint.url,
          eventTypes: types,
          forwardTo: forwardTo ?? null,
        }),
      );
    terminal.say(
      `${endpoint.id} of ${tenant} takes ${types.join(", ")} at ${endpoint.url} (Ctrl-C removes it)`,
    );
    if (forwardTo !== undefined)
      terminal.say(
        `Each delivery goes on to ${forwardTo}, signed with ${endpoint.secret}`,
      );
    await ended;
    await remove(endpoint, terminal);
  } finally {
    await listener.stop(GRACE_MS);
  }
}

async function started(
  { host, port: at, forwardTo, types }: Options,
  more: Pick<Parameters<typeof startListener>[0], "secret" | "onDelivery">,
): Promise<Listener> {
  const [type = "*", ...others] = types;
  try {
    return await startListener({
      host,
      port: at,
      onlyType: others.length === 0 && !type.includes("*") ? type : null,
      forward:
        forwardTo === undefined
          ? null
          : (delivered) => forward(forwardTo, delivered, FORWARD_TIMEOUT_MS),
      ...more,
    });
  } catch (error) {
    throw new CliError(EXIT.refused, `${host}:${at} cannot be listened on.`, {
      why: reasonOf(error),
      next:
        at === 0
          ? "Give --host an address of this machine, or leave it out."
          : "Leave --port out: any that is free is taken.",
    });
  }
}

async function remove(
  endpoint: TemporaryEndpoint,
  terminal: Terminal,
): Promise<void> {
  let isRemoved: boolean;
  try {
    isRemoved = await endpoint.remove();
  } catch (cause) {
    const { exitCode, why } = cause instanceof CliError ? cause : NO_REASON;
    throw new CliError(
      exitCode,
      `The endpoint ${endpoint.id} could not be removed.`,
      {
        why: why ?? reasonOf(cause),
        next: `npx postrider endpoints delete ${endpoint.id}   (or the next listen of the same name does it)`,
        cause,
      },
    );
  }
  terminal.say(
    isRemoved
      ? `${endpoint.id} is removed.`
      : `${endpoint.id} was gone already: another listen of the same name, or somebody, had removed it.`,
  );
}

const NO_REASON = { exitCode: EXIT.failed, why: null };

function render(seen: Seen, options: Options, terminal: Terminal): string {
  const { receivedAt, eventType, webhookId, timesSeen, status, error } = seen;
  const isGood = status >= 200 && status < 300;
  const line = [
    receivedAt,
    visible(eventType ?? "-"),
    visible(webhookId ?? "no webhook-id"),
    ...(timesSeen > 1 ? [`seen ${timesSeen} times`] : []),
    terminal.paint(isGood ? "green" : "red", String(status)),
    `${seen.durationMs} ms`,
    ...(error === null ? [] : [visible(whyNot(seen, error))]),
    ...(status === 410 && seen.signature === "right" ? [GONE] : []),
  ].join("  ");
  return options.forwardTo === undefined && seen.signature === "right"
    ? `${line}\n  ${visible(seen.body.slice(0, SHOWN_BODY))}`
    : line;
}

function whyNot({ signature }: Seen, error: string): string {
  return signature === "right" ? error : `not passed on: ${error}`;
}

const GONE =
  "410 disables an endpoint, and so this one: start listen again for more";

/** Kept as it is given: a slash at the end is part of the URL. */
function exactUrl(text: string): string {
  option(url)(text);
  return text.trim();
}

/** Apart for each developer and machine, so that nobody takes over another's by accident. */
function usualName(): string {
  let user = "user";
  try {
    user = userInfo().username;
  } catch {
    // A user that the system has no name for, as in some containers.
  }
  return `${user}@${hostname()}`.slice(0, 100);
}
