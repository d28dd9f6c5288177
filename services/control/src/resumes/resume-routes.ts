import type { Endpoint, EpochMs, Resume } from "@postrider/core";
import type { Routes } from "@postrider/http";
import type { FastifyReply } from "fastify";
import { causeOf } from "../audit/cause.ts";
import { termsOf, type ById } from "../endpoints/endpoint-routes.ts";
import {
  visibleEndpoint,
  type EndpointTable,
} from "../endpoints/endpoint-table.ts";
import type { EndpointWriter } from "../endpoints/endpoint-writer.ts";
import { enabledEndpoint, viewOf } from "../endpoints/endpoint.ts";
import type { HeaderSeal } from "../endpoints/header-seal.ts";
import type { PublicKeyOf } from "../endpoints/public-keys.ts";
import {
  RESUME_OPERATIONS,
  type ResumedEndpoint,
  type ResumeView,
} from "./resume-operations.ts";
import { neverPaused, type ResumeStore } from "./resume-store.ts";
import { versionOf } from "../http/if-match.ts";
import { ControlProblem } from "../http/problem.ts";
import { rfc3339 } from "../http/rfc3339.ts";

/** Pausing is a change of the endpoint (endpoint-routes.ts); here is what sends its parked deliveries again: `resume` and `enable`. */
export function resumeRoutes(options: {
  readonly table: Pick<EndpointTable, "get">;
  readonly writer: Pick<EndpointWriter, "change">;
  readonly store: Pick<ResumeStore, "get" | "restart" | "cancel">;
  readonly publicKeyOf: PublicKeyOf;
  readonly headerSeal: Pick<HeaderSeal, "open">;
}): Routes {
  const { table, writer, store, publicKeyOf, headerSeal } = options;

  function shown(
    reply: FastifyReply,
    endpoint: Endpoint,
    resume: Resume | undefined,
  ): ResumedEndpoint {
    void reply.header("etag", `"${endpoint.version}"`);
    return {
      ...viewOf(headerSeal.open(endpoint), publicKeyOf),
      resume: resume === undefined ? null : resumeView(resume),
    };
  }

  return (app) => {
    app.post<ById>(
      "/v1/endpoints/:id/enable",
      RESUME_OPERATIONS.enable,
      async (request, reply) => {
        const { id } = request.params;
        const condition = versionOf(request.headers["if-match"]) ?? "any";
        const terms = termsOf(request, condition);
        const endpoint = await writer.change(id, terms, enabled);
        return shown(reply, endpoint, store.get(id));
      },
    );
    app.post<ById>(
      "/v1/endpoints/:id/resume",
      RESUME_OPERATIONS.resume,
      async (request, reply) => {
        const { id } = request.params;
        const condition = versionOf(request.headers["if-match"]) ?? "any";
        const terms = termsOf(request, condition);
        let wasEnabled = false;
        const endpoint = await writer.change(id, terms, (before, now) => {
          wasEnabled = before.state === "enabled";
          return resumed(before, now);
        });
        // The change of a paused endpoint started its resume in the same write. One that was enabled goes on with what is left: its
        // only write is then this one, so a refusal that says that nothing was written is true.
        const resume = wasEnabled
          ? await store.restart(id, terms.cause)
          : store.get(id);
        return shown(reply, endpoint, resume);
      },
    );
    app.get<ById>(
      "/v1/endpoints/:id/resume",
      RESUME_OPERATIONS.get,
      async (request) => {
        const { id } = request.params;
        visibleEndpoint(table, id, request.caller.tenantId);
        const resume = store.get(id);
        if (resume === undefined) throw neverPaused(id);
        return resumeView(resume);
      },
    );
    app.delete<ById>(
      "/v1/endpoints/:id/resume",
      RESUME_OPERATIONS.cancel,
      async (request) => {
        const { id } = request.params;
        const cause = causeOf(request);
        visibleEndpoint(table, id, request.caller.tenantId);
        return resumeView(await store.cancel(id, cause));
      },
    );
  };
}

/** An endpoint that is enabled already keeps its version. Also one that a 410 disabled is enabled. */
function enabled(endpoint: Endpoint, now: EpochMs): Endpoint {
  return endpoint.state === "enabled"
    ? endpoint
    : enabledEndpoint(endpoint, now);
}

function resumed(endpoint: Endpoint, now: EpochMs): Endpoint {
  switch (endpoint.state) {
    case "enabled":
    case "paused":
      return enabled(endpoint, now);
    default:
      throw new ControlProblem(
        "conflict",
        `Endpoint ${endpoint.id} is ${endpoint.state}, not paused. Enable it: that also sends what was parked before.`,
        {
          errors: [
            {
              field: "state",
              rule: "paused",
              message: `is ${endpoint.state}`,
            },
          ],
        },
      );
  }
}

function resumeView(resume: Resume): ResumeView {
  const sum = (of: (place: Resume["places"][number]) => number): number =>
    resume.places.reduce((total, place) => total + of(place), 0);
  return {
    id: resume.id === "" ? null : resume.id,
    endpointId: resume.endpointId,
    state: resume.state,
    detail: resume.detail === "" ? null : resume.detail,
    read: sum(({ from, position }) => position - from),
    total: sum(({ from, position, end }) => Math.max(position, end) - from),
    sent: resume.sent,
    skipped: resume.skipped,
    unreadable: resume.unreadable,
    lost: resume.lost,
    places: resume.places,
    pausedAt: rfc3339(resume.pausedAt),
    startedAt: resume.startedAt === null ? null : rfc3339(resume.startedAt),
    finishedAt: resume.finishedAt === null ? null : rfc3339(resume.finishedAt),
  };
}
