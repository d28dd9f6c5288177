/** Sends test events. Who asked for it is in the audit trail before anything is sent. */
import type { Delivery } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import { LATE, within, type Clock, type Log } from "@postrider/runtime";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { visibleEndpoint, type EndpointTable } from "./endpoint-table.ts";
import type { ChangeTerms } from "./endpoint-writer.ts";
import { testDelivery } from "./test-delivery.ts";
import { ControlProblem } from "../http/problem.ts";
import type { TenureWriter } from "../writer/tenure-writer.ts";

export interface TestSender {
  /** Resolves to the delivery once Kafka has it. Throws a `ControlProblem`. */
  send(
    endpointId: string,
    terms: Pick<ChangeTerms, "callersTenant" | "cause">,
  ): Promise<Delivery>;
}

const SEND_WITHIN_MS = 10_000;

export function createTestSender(options: {
  readonly tenureWriter: TenureWriter;
  readonly table: Pick<EndpointTable, "get">;
  readonly auditTrail: AuditTrail;
  readonly send: (record: OutRecord) => Promise<void>;
  readonly newEventId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}): TestSender {
  const { tenureWriter, table, clock, log } = options;
  return {
    async send(endpointId, { callersTenant, cause }) {
      const delivery = await tenureWriter.inTurn(async () => {
        const tenure = tenureWriter.owner();
        const endpoint = visibleEndpoint(table, endpointId, callersTenant);
        if (endpoint.state !== "enabled") throw notEnabled(endpoint);
        const made = testDelivery(endpoint, {
          eventId: options.newEventId(),
          now: clock.now(),
        });
        const { deliveryId, eventId, tenantId } = made;
        const fact = {
          ...cause,
          tenantId,
          subject: "endpoint" as const,
          subjectId: endpointId,
          action: "tested" as const,
          detail: { deliveryId, eventId },
        };
        const record = options.auditTrail.recordOf(fact);
        await tenureWriter.write(tenure, [record], () => undefined);
        return made;
      });
      const { deliveryId } = delivery;
      const sent = options.send({
        topic: "deliveries",
        key: endpointId,
        value: delivery,
      });
      await acknowledged(sent, deliveryId);
      log.info("endpoint.tested", {
        endpointId,
        deliveryId,
        actor: cause.actor,
        requestId: cause.requestId,
      });
      return delivery;
    },
  };
}

/** Throws a `ControlProblem` if Kafka does not acknowledge the test. */
async function acknowledged(
  sent: Promise<void>,
  deliveryId: string,
): Promise<void> {
  try {
    if ((await within(sent, SEND_WITHIN_MS)) !== LATE) return;
    throw new Error(`no acknowledgement within ${SEND_WITHIN_MS} ms`);
  } catch (cause) {
    throw new ControlProblem(
      "kafka_unavailable",
      `Kafka has not acknowledged the test. It may still be sent, as ${deliveryId}: look at /v1/deliveries/${deliveryId} before you send another.`,
      { headers: { "retry-after": "1" }, cause },
    );
  }
}

function notEnabled({
  id,
  state,
}: {
  readonly id: string;
  readonly state: string;
}): ControlProblem {
  const [end, mend] =
    state === "paused" ? ["parked", "Resume"] : ["given up", "Enable"];
  return new ControlProblem(
    "conflict",
    `Endpoint ${id} is ${state}: a test would be ${end}. ${mend} it first.`,
    {
      errors: [{ field: "state", rule: "enabled", message: `is ${state}` }],
    },
  );
}
