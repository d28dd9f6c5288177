import { duration, integer, port } from "@postrider/runtime";
import type { Command } from "commander";
import { CliError, EXIT, reasonOf } from "../cli-error.ts";
import { command, option, repeated, type Run } from "../command.ts";
import { interrupted } from "../interrupted.ts";
import type { ReceivedRequest } from "../receiver.ts";
import { requireSecret } from "../require-secret.ts";
import { visible, type Terminal } from "../terminal.ts";

interface Options {
  readonly port: number;
  readonly secret?: readonly string[];
  readonly fail: number;
  readonly slow: number;
  readonly status: number;
}

export function receiverCommand(run: Run): Command {
  return command<Options>(
    run,
    "receiver",
    "take webhooks here, and print each with whether its signature is right",
    async ({ options, terminal }) => {
      const secrets = options.secret ?? [];
      secrets.forEach(requireSecret);
      const { startReceiver } = await import("../receiver.ts"); // loaded here only: the testkit, which other commands do not need
      const receiver = await startReceiver({
        port: options.port,
        secrets,
        failFirst: options.fail,
        slowMs: options.slow,
        status: options.status,
        onRequest: (request) =>
          terminal.data(request, () => render(request, terminal)),
      }).catch((error: unknown) => {
        throw new CliError(
          EXIT.refused,
          `Port ${options.port} cannot be listened on.`,
          {
            why: reasonOf(error),
            next: `npx postrider receiver --port ${options.port + 1}`,
          },
        );
      });
      terminal.say(`Listening on ${receiver.url} (Ctrl-C ends it)`);
      if (secrets.length === 0)
        terminal.say("No --secret was given: signatures are not checked.");
      await interrupted();
      await receiver.stop();
    },
  )
    .option("--port <n>", "0 takes any that is free", option(port), 9000)
    .option(
      "--secret <secret>",
      "the endpoint's; may be repeated. A wrong signature is answered with 401",
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
    .option(
      "--status <code>",
      "answer with it",
      option(integer(200, 599)),
      200,
    );
}

function slow(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : option(duration)(text);
}

const SIGNATURE_STYLE = {
  right: "green",
  wrong: "red",
  "not checked": "yellow",
} as const;

function render(request: ReceivedRequest, terminal: Terminal): string {
  const error =
    request.signatureError === null ? "" : ` (${request.signatureError})`;
  const again =
    request.timesSeen > 1 ? `  seen ${request.timesSeen} times` : "";
  const { signature } = request;
  return [
    `${request.receivedAt}  ${request.method} ${visible(request.path)}  webhook-id ${visible(request.webhookId ?? "none")}${again}`,
    `  signature ${terminal.paint(SIGNATURE_STYLE[signature], signature)}${error}  answered ${request.status}`,
    `  ${visible(request.body.slice(0, 2_000))}`,
  ].join("\n");
}
