import { duration, integer, port } from "@postrider/runtime";
// A part of the test kit that loads nothing else: help lists the behaviours.
import {
  MISBEHAVIOUR_NAMES,
  MISBEHAVIOURS,
  type MisbehaviourName,
} from "@postrider/testkit/misbehaviours";
import { Option, type Command } from "commander";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import { command, option, repeated, type Run } from "../command.ts";
import { interrupted } from "../interrupted.ts";
import type { ReceivedRequest, Receiver } from "../receiver.ts";
import { requireVerifier } from "../require-secret.ts";
import { visible, type Terminal } from "../terminal.ts";

interface Options {
  readonly host: string;
  readonly port: number;
  readonly secret?: readonly string[];
  readonly fail: number;
  readonly slow: number;
  readonly status: number;
  readonly behaviour?: MisbehaviourName;
}

export function receiverCommand(run: Run): Command {
  return command<Options>(
    run,
    "receiver",
    "take webhooks here, and print each with whether its signature is right",
    async ({ options, terminal }) => {
      const secrets = options.secret ?? [];
      secrets.forEach(requireVerifier);
      const receiver = await start(options, secrets, terminal).catch(
        (error: unknown) => {
          throw new CliError(
            EXIT.refused,
            `Port ${options.port} cannot be listened on.`,
            {
              why: reasonOf(error),
              next: `npx postrider receiver --port ${options.port + 1}`,
            },
          );
        },
      );
      terminal.say(`Listening on ${receiver.url} (Ctrl-C ends it)`);
      if (secrets.length === 0)
        terminal.say("No --secret was given: signatures are not checked.");
      if (options.behaviour !== undefined) {
        const { does, outcome } = MISBEHAVIOURS[options.behaviour];
        terminal.say(`It ${does}. An attempt to it is ${outcome}.`);
      }
      await interrupted();
      await receiver.stop();
    },
  )
    .option(
      "--host <address>",
      "where to listen; 0.0.0.0 in a container",
      "127.0.0.1",
    )
    .option("--port <n>", "0 takes any that is free", option(port), 9000)
    .option(
      "--secret <secret>",
      "the endpoint's secret or public key; may be repeated. A wrong signature is answered with 401",
      repeated,
    )
    .option(
      "--fail <n>",
      "answer the first n with 500",
      option(integer(0, 1e9)),
      0,
    )
    .option(
      "--slow <ms>",
      "wait so long before each answer (2000, or 2s)",
      slow,
      0,
    )
    .option("--status <code>", "answer with it", option(integer(200, 599)), 200)
    .addOption(
      new Option(
        "--behaviour <name>",
        "misbehave in one of the ways below instead of answering",
      )
        .argParser(option(behaviour))
        .conflicts(["fail", "slow", "status"]),
    )
    .addHelpText(
      "after",
      `\nBehaviours, and the outcome of an attempt to each:\n${behaviours()}`,
    );
}

/** A behaviour's name. The error does not list them all: help does, one a line. */
function behaviour(text: string): MisbehaviourName {
  const found = MISBEHAVIOUR_NAMES.find((name) => name === text.trim());
  if (found === undefined)
    throw new Error(
      `must be one of the ${MISBEHAVIOUR_NAMES.length} behaviours that npx postrider receiver --help lists`,
    );
  return found;
}

/** Each behaviour, what it does, and what an attempt to it comes to. */
function behaviours(): string {
  const width = Math.max(...MISBEHAVIOUR_NAMES.map(({ length }) => length));
  return MISBEHAVIOUR_NAMES.map((name) => {
    const { does, outcome } = MISBEHAVIOURS[name];
    return `  ${name.padEnd(width)}  ${does} → ${outcome}`;
  }).join("\n");
}

/** The servers are loaded here only: other commands do not need the test kit. */
async function start(
  options: Options,
  secrets: readonly string[],
  terminal: Terminal,
): Promise<Receiver> {
  const { behaviour } = options;
  const onRequest = (request: ReceivedRequest): void =>
    terminal.data(request, () => render(request, behaviour, terminal));
  if (behaviour === undefined) {
    const { startReceiver } = await import("../receiver.ts");
    return await startReceiver({
      host: options.host,
      port: options.port,
      secrets,
      failFirst: options.fail,
      slowMs: options.slow,
      status: options.status,
      onRequest,
    });
  }
  const { startHostileReceiver } = await import("../hostile-receiver.ts");
  return await startHostileReceiver({
    host: options.host,
    port: options.port,
    secrets,
    behaviour,
    onConnection: (number) => terminal.say(`connection ${number}`),
    onRequest,
  });
}

function slow(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : option(duration)(text);
}

const SIGNATURE_STYLE = {
  right: "green",
  wrong: "red",
  "not checked": "yellow",
} as const;

function render(
  request: ReceivedRequest,
  behaviour: MisbehaviourName | undefined,
  terminal: Terminal,
): string {
  const error =
    request.signatureError === null ? "" : ` (${request.signatureError})`;
  const again =
    request.timesSeen > 1 ? `  seen ${request.timesSeen} times` : "";
  const { signature } = request;
  return [
    `${request.receivedAt}  ${request.method} ${visible(request.path)}  webhook-id ${visible(request.webhookId ?? "none")}${again}`,
    `  signature ${terminal.paint(SIGNATURE_STYLE[signature], signature)}${error}  ${behaviour ?? `answered ${request.status}`}`,
    `  ${visible(request.body.slice(0, 2_000))}`,
  ].join("\n");
}
