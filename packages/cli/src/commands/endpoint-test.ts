/** `endpoints test`: sends a test event, waits, and shows what the attempt showed. */
import { setTimeout as sleep } from "node:timers/promises";
import { duration } from "@postrider/runtime";
import type { Command } from "commander";
import { pathSegment } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { command, option, type Run } from "../command.ts";
import { pathOf } from "../endpoint-path.ts";
import type { Row } from "../lists/list-spec.ts";
import { renderTimeline, type DeliveryTimeline } from "../lists/timeline.ts";
import type { Terminal } from "../terminal.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";
import { call } from "./endpoint-requests.ts";

interface TestSend {
  readonly deliveryId: string;
}

const POLL_EVERY_MS = 300;

export function test(run: Run): Command {
  const made = command<Why & { wait: number }>(
    run,
    "test <id>",
    "send it a test event, attempted once, and show how that went",
    async ({ args, options, terminal }) => {
      const { deliveryId } = await call<TestSend>({
        method: "POST",
        path: `${pathOf(args[0])}/test`,
        headers: whyHeader(options),
      });
      terminal.say(`Test ${deliveryId} was sent.`);
      const ended = await untilEnded(deliveryId, options.wait, terminal);
      terminal.data(ended, () => renderTimeline(sinceSent(ended), terminal));
      return ended["status"] === "delivered" ? EXIT.done : EXIT.failed;
    },
  ).option(
    "--wait <duration>",
    "how long to wait for it",
    option(duration),
    60_000,
  );
  return withWhy(made);
}

/** Control's clock, which says when the test was made, and the dispatcher's may differ by this. */
const CLOCKS_MS = 1_000;

/** Without what the endpoint had been through before, as if it still was: a breaker that has closed, a pause that is over. A breaker that is open stays. */
function sinceSent(delivery: DeliveryTimeline): DeliveryTimeline {
  const sentAt = Date.parse(String(delivery["receivedAt"])) - CLOCKS_MS;
  const { timeline } = delivery;
  const isEarlier = ({ kind, at }: Row): boolean =>
    kind === "signal" && Date.parse(String(at)) < sentAt;
  const last = timeline.findLast(isEarlier);
  return {
    ...delivery,
    timeline: timeline.filter(
      (entry) =>
        !isEarlier(entry) ||
        (entry === last && entry["signal"] === "breaker_opened"),
    ),
  };
}

/** Throws `CliError` where nothing was recorded in time, or the test still waits. */
async function untilEnded(
  deliveryId: string,
  waitMs: number,
  terminal: Pick<Terminal, "progress">,
): Promise<DeliveryTimeline> {
  const until = performance.now() + waitMs;
  let seen: DeliveryTimeline | undefined;
  for (;;) {
    try {
      seen = await call<DeliveryTimeline>({
        method: "GET",
        path: `/v1/deliveries/${pathSegment(deliveryId)}`,
      });
      const { status, deferralReason } = seen;
      if (status === "delivered" || status === "expired") return seen;
      terminal.progress(`waits: ${String(deferralReason ?? status)}`);
    } catch (error) {
      // It is recorded a moment after the attempt.
      const isNotYet =
        error instanceof CliError && error.exitCode === EXIT.notFound;
      if (!isNotYet) throw error;
    }
    if (performance.now() > until) throw late(deliveryId, seen);
    await sleep(POLL_EVERY_MS);
  }
}

function late(
  deliveryId: string,
  seen: DeliveryTimeline | undefined,
): CliError {
  const reason = seen?.["deferralReason"];
  return new CliError(EXIT.failed, `Test ${deliveryId} has not ended yet.`, {
    why:
      seen === undefined
        ? "No attempt is recorded so far: see whether dispatcher and recorder run."
        : `It waits: ${String(reason ?? seen["status"])}.`,
    next:
      seen === undefined
        ? "npx postrider status"
        : `npx postrider deliveries get ${deliveryId}`,
  });
}
