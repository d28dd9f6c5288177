/** The tenants' policies as the topic `control` has them, and the writes that change them. A tenant without a record has the level `off`. */
import { controlEntry, type TypePolicy } from "@postrider/core";
import { policyEntry, type TypeLevel } from "@postrider/event-types";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";
import { ControlProblem } from "../http/problem.ts";
import type { ControlStoreOptions } from "../writer/control-store.ts";

export interface PolicyStore {
  /** Those that are not off. */
  all(): TypePolicy[];
  get(tenantId: string): TypePolicy | undefined;
  /** The same level again writes nothing. */
  set(tenantId: string, level: TypeLevel, cause: Cause): Promise<void>;
}

export interface PolicyStoreOptions extends ControlStoreOptions {
  readonly audit: AuditTrail;
}

/** Every process of ingest keeps them in memory. */
const MOST_POLICIES = 10_000;

export function createPolicyStore(options: PolicyStoreOptions): PolicyStore {
  const { tenureWriter, table, encode, topic, clock, log } = options;

  const get = (tenantId: string): TypePolicy | undefined =>
    table.get(policyEntry(tenantId))?.typePolicy ?? undefined;

  function all(): TypePolicy[] {
    const policies: TypePolicy[] = [];
    for (const [, { typePolicy }] of table.entries())
      if (typePolicy !== null) policies.push(typePolicy);
    return policies;
  }

  return {
    all,
    get,
    set: (tenantId, level, cause) =>
      tenureWriter.inTurn(async () => {
        const tenure = tenureWriter.owner();
        const before = get(tenantId)?.level ?? "off";
        if (before === level) return;
        if (before === "off" && all().length >= MOST_POLICIES) throw tooMany();
        const key = policyEntry(tenantId);
        const typePolicy = { tenantId, level, updatedAt: clock.now() };
        const value =
          level === "off"
            ? null
            : encode({
                topic: "control",
                key,
                value: controlEntry({ typePolicy }),
              });
        const records = [
          { topic, partition: 0, key: Buffer.from(key), value },
          options.audit.recordOf({
            ...cause,
            tenantId,
            subject: "type_policy",
            subjectId: tenantId,
            action: "changed",
            detail: { level: { from: before, to: level } },
          }),
        ];
        await tenureWriter.write(tenure, records, () => {
          if ((get(tenantId)?.level ?? "off") !== level)
            throw new Error("the table does not show the policy after it");
        });
        const { actor, requestId } = cause;
        log.info("typePolicy.changed", { tenantId, level, actor, requestId });
      }),
  };
}

function tooMany(): ControlProblem {
  return new ControlProblem(
    "conflict",
    `${MOST_POLICIES} tenants have a policy, and there may be no more.`,
    {
      errors: [
        { field: "level", rule: "max", message: `at most ${MOST_POLICIES}` },
      ],
    },
  );
}
