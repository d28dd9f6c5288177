import { randomBytes } from "node:crypto";
import {
  counted as inWords,
  fewProblems,
  type Endpoint,
  type Replay,
} from "@postrider/core";
import { invalid, type Caller, type Routes } from "@postrider/http";
import type { LogRange } from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";
import type { FastifyRequest } from "fastify";
import { causeOf } from "../audit/cause.ts";
import { ownTenant } from "../http/callers-tenant.ts";
import { ControlProblem } from "../http/problem.ts";
import { problemsOf } from "../http/zod-problems.ts";
import type { EndpointCount, PastDeliveries } from "./past-deliveries.ts";
import {
  backfilling,
  narrowed,
  parseReplay,
  type JudgeSql,
  type ReplayInput,
} from "./replay-input.ts";
import { listReplays, parseReplayList } from "./replay-list.ts";
import { REPLAY_OPERATIONS, whyBody } from "./replay-operations.ts";
import type { ReplayStore } from "./replay-store.ts";
import { visibleTo } from "./replay.ts";
import {
  previewView,
  replayView,
  tenantsView,
  type ReplayView,
} from "./replay-view.ts";
import type { Selected } from "./selection-sql.ts";
import { startOfWhole } from "./whole-days.ts";

interface ById {
  Params: { id: string };
}

export function replayRoutes(options: {
  readonly store: Pick<ReplayStore, "get" | "all" | "create" | "steer">;
  /** What is recorded, as this caller may see it. Throws a `ControlProblem` while its tenant is not served. */
  readonly pastFor: (
    caller: Caller,
  ) => Pick<
    PastDeliveries,
    "counts" | "named" | "withoutDelivery" | "wholeDays"
  >;
  /** What the topic `dead-letters` holds now. Throws a `ControlProblem` while Kafka does not answer. */
  readonly deadLetterLog: () => Promise<readonly LogRange[]>;
  readonly endpoints: { get(id: string): Endpoint | undefined };
  readonly clock: Clock;
  /** Deliveries a second, where the request names no rate. */
  readonly defaultRate: number;
  readonly judgeSql: JudgeSql;
}): Routes {
  const { store, pastFor, endpoints, clock, defaultRate, judgeSql } = options;
  const { deadLetterLog } = options;

  function inputOf({ body, caller }: FastifyRequest): ReplayInput {
    const now = clock.now();
    const input = parseReplay(body, { caller, now, defaultRate, judgeSql });
    const { endpointId } = input.selection;
    return input.kind === "backfill" && endpointId !== null
      ? backfilling(input, endpoints.get(endpointId))
      : input;
  }

  async function counted(
    input: ReplayInput,
    caller: Caller,
    logNow?: () => Promise<readonly LogRange[]>,
  ): Promise<{
    readonly selected: Selected;
    readonly counts: EndpointCount[];
    readonly past: Pick<PastDeliveries, "withoutDelivery" | "wholeDays">;
  }> {
    const past = pastFor(caller);
    const selectedAt = input.selectedAt ?? clock.now();
    let selected: Selected = { ...input, selectedAt };
    const { deliveryIds } = input.selection;
    if (deliveryIds.length > 0) {
      const found = await past.named(selected);
      const known = new Set(found.map(({ deliveryId }) => deliveryId));
      refuseUnknown(deliveryIds, known, await past.wholeDays());
      selected = narrowed(selected, found);
    }
    // Last: Kafka's answer is nothing to a caller that ClickHouse does not serve, or that has named what is not there.
    const counts = await past.counts(selected, await logNow?.());
    if (counts.length === 0) refuseNoEndpoint(input, endpoints);
    return { selected, counts, past };
  }

  function visible(id: string, caller: Caller): Replay {
    const replay = store.get(id);
    if (replay === undefined || !maySee(caller, replay)) throw unknown(id);
    return replay;
  }

  async function steer(
    request: FastifyRequest<ById>,
    action: "pause" | "resume" | "cancel",
  ) {
    const { id } = request.params;
    visible(id, request.caller);
    const body = whyBody.safeParse(request.body ?? {});
    if (!body.success) throw invalid(problemsOf(body.error));
    const by = causeOf(request, body.data.why ?? "");
    const replay = await store.steer(id, action, by);
    if (replay === undefined) throw unknown(id);
    return viewFor(request.caller, replay);
  }

  return (app) => {
    app.post(
      "/v1/replays/preview",
      REPLAY_OPERATIONS.preview,
      async (request) => {
        const input = inputOf(request);
        const { caller } = request;
        const { selected, counts, past } = await counted(
          input,
          caller,
          deadLetterLog,
        );
        const { ratePerSecond } = input;
        return previewView(selected, counts, {
          endpoints,
          ratePerSecond,
          withoutDelivery: await past.withoutDelivery(selected),
          wholeSince: startOfWhole(await past.wholeDays(), clock.now()),
        });
      },
    );
    app.post(
      "/v1/replays",
      REPLAY_OPERATIONS.create,
      async (request, reply) => {
        const input = inputOf(request);
        if (input.selectedAt === null && !input.isConfirmed) throw unseen();
        const by = causeOf(request, input.why);
        const { selected, counts } = await counted(input, request.caller);
        const made = newReplay(input, selected, {
          why: by.why,
          total: counts.reduce((sum, { total }) => sum + total, 0),
          createdBy: request.caller.keyId,
          now: clock.now(),
        });
        const replay = await store.create(made, by);
        void reply.code(201).header("location", `/v1/replays/${replay.id}`);
        return viewFor(request.caller, replay);
      },
    );
    app.get("/v1/replays", REPLAY_OPERATIONS.list, async (request) => {
      const { caller } = request;
      const asked = parseReplayList(ownTenant(request), clock.now());
      const { page, nextCursor } = listReplays(
        store.all().filter((each) => maySee(caller, each)),
        asked,
      );
      return {
        replays: page.map((replay) => viewFor(caller, replay)),
        nextCursor,
        truncated: nextCursor !== null,
      };
    });
    app.get<ById>(
      "/v1/replays/:id",
      REPLAY_OPERATIONS.get,
      async ({ params, caller }) => viewFor(caller, visible(params.id, caller)),
    );
    for (const action of ["pause", "resume", "cancel"] as const)
      app.post<ById>(
        `/v1/replays/:id/${action}`,
        REPLAY_OPERATIONS[action],
        (request) => steer(request, action),
      );
  };
}

function newReplay(
  input: ReplayInput,
  { kind, tenantId, selection, selectedAt }: Selected,
  of: Pick<Replay, "why" | "total" | "createdBy"> & { readonly now: number },
): Replay {
  return {
    id: `rpl_${randomBytes(18).toString("base64url")}`,
    kind,
    tenantId,
    state: "running",
    detail: "",
    selection,
    selectedAt,
    why: of.why,
    createdBy: of.createdBy,
    ratePerSecond: input.ratePerSecond,
    place: null,
    total: of.total,
    sent: 0,
    leftOut: {},
    createdAt: of.now,
    finishedAt: null,
  };
}

/** A tenant's caller sees its own replays only: another one may name other tenants' endpoints. */
function maySee({ tenantId }: Caller, replay: Replay): boolean {
  return tenantId === null || visibleTo(replay) === tenantId;
}

function viewFor({ tenantId }: Caller, replay: Replay): ReplayView {
  return tenantId === null ? replayView(replay) : tenantsView(replay);
}

function unknown(id: string): ControlProblem {
  return new ControlProblem("not_found", `There is no replay ${id}.`, {
    errors: [{ field: "id", rule: "exists", message: "is unknown" }],
  });
}

function unseen() {
  return invalid([
    {
      field: "selectedAt",
      rule: "required",
      message:
        "is required: the one that POST /v1/replays/preview answered; or send confirm: true for what is selected now",
    },
  ]);
}

/** Nothing is selected: where the endpoint is none either, its id is mistyped. What was deleted may still have deliveries. */
function refuseNoEndpoint(
  { tenantId, selection }: ReplayInput,
  endpoints: { get(id: string): Endpoint | undefined },
): void {
  const { endpointId } = selection;
  if (endpointId === null) return;
  const found = endpoints.get(endpointId);
  // Another tenant's is as if it did not exist.
  if (found && (tenantId === null || found.tenantId === tenantId)) return;
  throw invalid([
    {
      field: "endpointId",
      rule: "exists",
      message: `is no endpoint${tenantId === null ? "" : " of the tenant"}, and nothing that is selected is recorded for it`,
    },
  ]);
}

function refuseUnknown(
  deliveryIds: readonly string[],
  known: ReadonlySet<string>,
  wholeDays: number,
): void {
  const problems = deliveryIds.flatMap((id, at) =>
    known.has(id)
      ? []
      : [
          {
            field: `deliveryIds[${at}]`,
            rule: "exists",
            message: `is not recorded within the last ${inWords(Math.max(wholeDays, 0), "day")}; what happened just now takes a second`,
          },
        ],
  );
  if (problems.length > 0) throw invalid(fewProblems(problems));
}
