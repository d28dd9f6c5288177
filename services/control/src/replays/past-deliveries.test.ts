import { expect, test } from "@jest/globals";
import { aSelection } from "../../fixtures/a-selection.ts";
import { createPastDeliveries } from "./past-deliveries.ts";

const UNIT = {
  tenant_id: "t_0",
  received: 1_000,
  event_id: "evt_0",
  endpoint_id: "ep_0",
};

test("a delivery that expires while its page is read has its dead letter on the page", async () => {
  let isExpired = false;
  const answers = (sql: string): unknown[] => {
    if (sql.includes("FROM dead_letters"))
      return isExpired
        ? [{ delivery_id: "dlv_0", log_partition: 3, log_offset: 7 }]
        : [];
    if (!sql.includes("groupArray")) return [UNIT];
    // A dead letter is recorded before the query ends that reads the deliveries.
    isExpired = true;
    return [{ ...UNIT, ids: ["dlv_0"], statuses: ["expired"], reasons: [""] }];
  };
  const past = createPastDeliveries(
    async <Row>(sql: string) => {
      if (sql.includes("groupArray")) await Promise.resolve();
      return answers(sql) as Row[]; // as the query names its columns
    },
    async () => 29,
  );

  const page = await past.page(
    {
      kind: "redrive",
      tenantId: null,
      selectedAt: 2_000,
      selection: aSelection({ deliveryIds: ["dlv_0"] }),
    },
    null,
    500,
  );

  expect(page.candidates[0]?.deliveries[0]?.status).toBe("expired");
  expect(page.letters.get("dlv_0")).toEqual({ partition: 3, offset: 7 });
});
