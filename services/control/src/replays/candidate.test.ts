import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { judged, lackOf, type PastDelivery } from "./candidate.ts";
import { redrivenId } from "./redriven-delivery.ts";

const UNIT = {
  tenantId: "acme",
  receivedAt: 1,
  eventId: "evt_1",
  endpointId: "ep_1",
};
const a = (
  status: string,
  deadLetterReason = "",
  id = "dlv_first",
): PastDelivery => ({ id, status, deadLetterReason });

const EXPIRED = a("expired", "exhausted");
const AGAIN = a("expired", "exhausted", "dlv_of_rpl_0");

test.each<[string, PastDelivery[], string[], unknown]>([
  ["expired", [EXPIRED], ["expired"], ["dlv_first"]],
  [
    "expired, and so was its redrive",
    [EXPIRED, AGAIN],
    ["expired"],
    ["dlv_first", "dlv_of_rpl_0"],
  ],
  [
    "expired, and its redrive was delivered",
    [EXPIRED, a("delivered", "", "dlv_of_rpl_0")],
    ["expired"],
    "delivered",
  ],
  [
    "expired, and its redrive waits for an attempt",
    [EXPIRED, a("failed", "", "dlv_of_rpl_0")],
    ["expired"],
    "under_way",
  ],
  [
    "expired, and its redrive is parked",
    [EXPIRED, a("pending", "paused", "dlv_of_rpl_0")],
    ["expired"],
    "parked",
  ],
  ["pending (it was named)", [a("pending")], ["expired"], "under_way"],
  ["delivered (it was named)", [a("delivered")], ["expired"], "delivered"],
  [
    "delivered, which is asked for",
    [a("delivered")],
    ["delivered"],
    ["dlv_first"],
  ],
  [
    "delivered, which is asked for, but sent again just now",
    [a("delivered"), a("pending", "", "dlv_of_rpl_0")],
    ["delivered"],
    "under_way",
  ],
])("%s", (_what, deliveries, statuses, expected) => {
  const verdict = judged({ ...UNIT, deliveries }, { id: "rpl_1", statuses });

  expect(verdict).toEqual(
    typeof expected === "string"
      ? { kind: "leave", reason: expected }
      : { kind: "send", deliveryIds: expected },
  );
});

test.each(["pending", "failed", "delivered", "expired"])(
  "what this replay has sent itself is not sent again, also if it is %s",
  (status) => {
    const own = a(status, "", redrivenId(UNIT, "rpl_1"));
    const candidate = { ...UNIT, deliveries: [EXPIRED, own] };

    const verdict = judged(candidate, { id: "rpl_1", statuses: ["expired"] });

    expect(verdict).toEqual({ kind: "sent" });
  },
);

test("only a deleted or disabled endpoint lacks something", () => {
  expect(lackOf(undefined)).toBe("endpoint_deleted");
  expect(lackOf(anEndpoint({ state: "disabled" }))).toBe("endpoint_disabled");
  expect(lackOf(anEndpoint({ state: "paused" }))).toBeNull();
  expect(lackOf(anEndpoint())).toBeNull();
});
