import type { Endpoint } from "@postrider/core";
import { invalid, type Routes } from "@postrider/http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { causeOf } from "../audit/cause.ts";
import type { EndpointInput } from "./endpoint-input.ts";
import { listEndpoints, parseListQuery } from "./endpoint-list.ts";
import { endpointOperations } from "./endpoint-operations.ts";
import { visibleEndpoint, type EndpointTable } from "./endpoint-table.ts";
import type { ChangeTerms, EndpointWriter } from "./endpoint-writer.ts";
import {
  changedEndpoint,
  disabledEndpoint,
  pausedEndpoint,
  viewOf,
} from "./endpoint.ts";
import { validated, validationQuery } from "./endpoint-validation.ts";
import { ofCallersTenant, ownTenant } from "../http/callers-tenant.ts";
import {
  requiredVersion,
  versionOf,
  type VersionCondition,
} from "../http/if-match.ts";
import { ControlProblem } from "../http/problem.ts";
import type { HeaderSeal } from "./header-seal.ts";
import type { PublicKeyOf } from "./public-keys.ts";
import type { RotateSecret } from "./secret-rotation.ts";
import { requireSignable } from "./signing-rules.ts";
import type { TestSender } from "./test-sender.ts";
import { problemsOf } from "../http/zod-problems.ts";

export interface ById {
  Params: { id: string };
}

/** Reads come from our own table, on every replica; writes go through the writer. */
export function endpointRoutes(options: {
  readonly table: Pick<EndpointTable, "get" | "entries">;
  readonly writer: EndpointWriter;
  readonly rotate: RotateSecret;
  readonly testSender: TestSender;
  readonly publicKeyOf: PublicKeyOf;
  readonly headerSeal: Pick<HeaderSeal, "open">;
  readonly input: EndpointInput;
}): Routes {
  const { table, writer, rotate, testSender, publicKeyOf, input } = options;
  const { open } = options.headerSeal;
  const operations = endpointOperations(input.schemas);

  function shown(reply: FastifyReply, endpoint: Endpoint) {
    void reply.header("etag", `"${endpoint.version}"`);
    return viewOf(open(endpoint), publicKeyOf);
  }

  return (app) => {
    app.post("/v1/endpoints", operations.create, async (request, reply) => {
      const { tenantId } = request.caller;
      const made = await writer.create(
        input.parseCreation(ofCallersTenant(request.body, tenantId)),
        causeOf(request),
      );
      void reply
        .code(201)
        .header("location", `/v1/endpoints/${made.endpoint.id}`);
      return { ...shown(reply, made.endpoint), secret: made.secret };
    });
    app.post(
      "/v1/endpoints/validate",
      operations.validate,
      async ({ query, body, caller: { tenantId } }) => {
        const asked = validationQuery.safeParse(query);
        if (!asked.success) throw invalid(problemsOf(asked.error));
        const { id } = asked.data;
        return validated(ofCallersTenant(body, tenantId), {
          input,
          table,
          publicKeyOf,
          before:
            id === undefined ? id : open(visibleEndpoint(table, id, tenantId)),
        });
      },
    );
    app.get("/v1/endpoints", operations.list, async (request) =>
      listEndpoints(
        table.entries(),
        parseListQuery(ownTenant(request)),
        (endpoint) => viewOf(open(endpoint), publicKeyOf),
      ),
    );
    app.get<ById>(
      "/v1/endpoints/:id",
      operations.get,
      async ({ params: { id }, caller: { tenantId } }, reply) =>
        shown(reply, visibleEndpoint(table, id, tenantId)),
    );
    app.patch<ById>(
      "/v1/endpoints/:id",
      operations.change,
      async (request, reply) => {
        const condition = requiredVersion(request.headers["if-match"]);
        const change = input.parseChange(request.body);
        const changed = await writer.change(
          request.params.id,
          termsOf(request, condition),
          (endpoint, now) => {
            const after = changedEndpoint(endpoint, change, now);
            requireSignable(after, publicKeyOf);
            return after;
          },
        );
        return shown(reply, changed);
      },
    );
    app.delete<ById>(
      "/v1/endpoints/:id",
      operations.remove,
      async (request, reply) => {
        const condition = requiredVersion(request.headers["if-match"]);
        await writer.remove(request.params.id, termsOf(request, condition));
        return await reply.code(204).send();
      },
    );
    app.post<ById>(
      "/v1/endpoints/:id/rotate-secret",
      operations.rotateSecret,
      async (request, reply) => {
        const condition = requiredVersion(request.headers["if-match"]);
        const rotation = input.parseRotation(request.body);
        const terms = termsOf(request, condition);
        const made = await rotate(request.params.id, terms, rotation);
        return { ...shown(reply, made.endpoint), secret: made.secret };
      },
    );
    app.post<ById>(
      "/v1/endpoints/:id/test",
      operations.test,
      async (request, reply) => {
        const terms = termsOf(request, "any");
        const sent = await testSender.send(request.params.id, terms);
        const { deliveryId, eventId, eventType, webhookId } = sent;
        void reply.code(202).header("location", `/v1/deliveries/${deliveryId}`);
        return { deliveryId, eventId, eventType, webhookId };
      },
    );
    for (const [route, state, apply] of [
      ["pause", "paused", pausedEndpoint],
      ["disable", "disabled", disabledEndpoint],
    ] as const)
      app.post<ById>(
        `/v1/endpoints/:id/${route}`,
        operations[route],
        async (request, reply) => {
          const condition = versionOf(request.headers["if-match"]) ?? "any";
          const reason = input.parseReason(request.body);
          // An endpoint that is in this state already only takes a new reason; without one it keeps its version.
          const changed = await writer.change(
            request.params.id,
            termsOf(request, condition, reason),
            (endpoint, now) => {
              if (state === "paused") refuseDisabled(endpoint);
              return endpoint.state === state &&
                (reason === undefined || reason === endpoint.stateReason)
                ? endpoint
                : apply(endpoint, reason ?? "by hand", now);
            },
          );
          return shown(reply, changed);
        },
      );
  };
}

/** Who pauses wants less to happen: a disabled endpoint would have events routed to it again, and a resume would then enable it. */
function refuseDisabled({ id, state }: Endpoint): void {
  if (state !== "disabled") return;
  throw new ControlProblem(
    "conflict",
    `Endpoint ${id} is disabled, so nothing goes to it. Enable it first: paused, it would have events routed to it again.`,
    { errors: [{ field: "state", rule: "disabled", message: "is disabled" }] },
  );
}

/** The terms of a change that this request asks for. `otherwise`: its reason where the header gives none. */
export function termsOf(
  request: FastifyRequest<ById>,
  condition: VersionCondition,
  otherwise?: string,
): ChangeTerms {
  const { tenantId: callersTenant } = request.caller;
  return { condition, callersTenant, cause: causeOf(request, otherwise) };
}
