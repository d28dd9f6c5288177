/** The command line declares control's explanation of an event itself, because a package imports no service. Here both meet. */
import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { explainLines } from "../packages/cli/src/explain/explain-lines.ts";
import type { Explanation } from "../packages/cli/src/explain/explanation.ts";
import { nextCommands } from "../packages/cli/src/explain/next-commands.ts";
import { createTerminal } from "../packages/cli/src/terminal.ts";
import { explain } from "../services/control/src/reads/explain/explain.ts";
import { NEXT_ACTIONS } from "../services/control/src/reads/explain/explanation.ts";

const AT = Date.UTC(2126, 0, 1);

// The type check is half of this test: control's answer has every field that the command line reads.
const answer: Explanation = explain(
  {
    id: "e1",
    tenantId: "acme",
    type: "order.paid",
    arrivals: [
      {
        event_type: "order.paid",
        decision: "routed",
        reason: "",
        field: "",
        rule: "",
        payload_bytes: 2,
        no_match_count: 0,
        occurredAt: null,
        receivedAt: AT,
        decidedAt: AT,
        source_topic: "postrider.events",
        source_partition: 0,
        source_offset: 0,
        arrivals: 1,
      },
    ],
    named: { sent: ["ep_1"], paused: ["ep_1"], disabled: [], filtered: [] },
    deliveries: [
      {
        delivery_id: "dlv_1",
        endpoint_id: "ep_1",
        status: "pending",
        replay_id: "",
        attempts: 0,
        deferral_reason: "",
        dead_letter_reason: "paused",
        version: 1,
        next_attempt_at: null,
      },
    ],
    counts: null,
    attempts: [],
    letters: [],
    breakers: [],
    truncated: false,
    endpoints: new Map([
      [
        "ep_1",
        anEndpoint({ id: "ep_1", state: "paused", stateReason: "by hand" }),
      ],
    ]),
    eventsTopic: "postrider.events",
  },
  AT,
);

test("the command line reads what control explains of an event", () => {
  expect(explainLines(answer, createTerminal(false)).split("\n")).toEqual([
    "e1  order.paid  tenant acme",
    "It came in at 2126-01-01T00:00:00.000Z as postrider.events/0@0: by the door, or from a producer of yours.",
    "It was sent to 1 endpoint: 1 parked.",
    "",
    "ep_1 (https://receiver.example/hook): parked.",
    "  Its endpoint was paused: it waits until somebody resumes the endpoint.",
    "  The endpoint is paused now (by hand).",
    "  (dlv_1)",
    "",
    "The tenant has no other endpoint.",
    "",
    "What you can do:",
    "  npx postrider endpoints resume ep_1   (deliver to it again, and send what is parked)",
  ]);
});

test("the command line has a command for each action that control knows", () => {
  const next = NEXT_ACTIONS.map((action) => ({
    action,
    endpointId: "ep_1",
    deliveryId: "dlv_1",
  }));

  for (const command of nextCommands({ ...answer, next }))
    expect(command).toMatch(/^npx postrider \S+/);
});
