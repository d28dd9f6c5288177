/** The command line declares control's answer about an event itself, because a package imports no service. Here both meet. */
import { expect, test } from "@jest/globals";
import type { EventView } from "../packages/cli/src/event-view.ts";
import { renderEvent } from "../packages/cli/src/publish/event-view.ts";
import { createTerminal } from "../packages/cli/src/terminal.ts";
import { eventViewOf } from "../services/control/src/reads/event-view.ts";

const AT = Date.UTC(2126, 0, 1);

test("the command line reads what control answers about an event", () => {
  // The type check is half of this test: control's answer has every field that the command line reads.
  const answer: EventView = eventViewOf({
    events: [
      {
        tenant_id: "acme",
        event_id: "e1",
        event_type: "order.paid",
        occurred_at: null,
        received_at: AT,
        decision: "routed",
        reason: "",
      },
    ],
    deliveries: [
      {
        delivery_id: "dlv_1",
        endpoint_id: "ep_1",
        status: "pending",
        next_attempt_at: null,
        dead_letter_reason: "",
        version: 1,
        attempts: 0,
      },
    ],
    attempts: [
      {
        delivery_id: "dlv_1",
        attempt_number: 0,
        step: 0,
        started_at: AT,
        outcome: "",
        status_code: null,
        duration_ms: 0,
        trigger: "first",
        error: "",
        next_attempt_at: AT + 5_000,
        deferral_reason: "rate_limited",
        status: "pending",
        dead_letter_reason: "",
      },
    ],
    truncated: false,
  });

  expect(renderEvent(answer, createTerminal(false))).toBe(
    [
      "e1  order.paid  tenant acme",
      "received 2126-01-01T00:00:00.000Z  routed",
      "  dlv_1 → ep_1  pending (rate_limited)  next attempt 2126-01-01T00:00:05.000Z",
    ].join("\n"),
  );
});
