import { expect, test } from "@jest/globals";
import type { Endpoint, Resume } from "@postrider/core";
import { KnownKeys } from "@postrider/http";
import { anEndpoint, BUILT_AT, testEffects } from "@postrider/testkit";
import { ControlProblem } from "../http/problem.ts";
import { createServer } from "../http/server.ts";
import { resumeRoutes } from "./resume-routes.ts";

const KEY = "an-admin-key-of-the-test";
const ID = anEndpoint().id;
const RUNNING: Resume = {
  endpointId: ID,
  tenantId: "acme",
  id: "rsm_1",
  state: "running",
  detail: "",
  endpointVersion: 2,
  partitions: 1,
  places: [{ partition: 0, from: 0, position: 0, end: 0 }],
  sent: 0,
  skipped: 0,
  unreadable: 0,
  lost: 0,
  pausedAt: BUILT_AT,
  startedAt: BUILT_AT,
  finishedAt: null,
};

/** Control's routes of an endpoint in this state. A restart is always refused, as by a replica that lost its tenure a moment ago. */
function anApp(state: string) {
  let endpoint: Endpoint = anEndpoint({ state });
  const { app } = createServer({
    ...testEffects(),
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [
      resumeRoutes({
        table: { get: () => endpoint },
        writer: {
          change: async (_id, _condition, apply) =>
            (endpoint = apply(endpoint, BUILT_AT)),
        },
        store: {
          get: () => RUNNING,
          restart: async () => {
            throw new ControlProblem("not_owner", "Nothing was written.");
          },
          cancel: async () => RUNNING,
        },
        publicKeyOf: () => null,
        headerSeal: { open: (stored) => stored },
      }),
    ],
  });
  return async (route = "resume") =>
    await app.inject({
      method: "POST",
      url: `/v1/endpoints/${ID}/${route}`,
      headers: { authorization: `Bearer ${KEY}` },
    });
}

test("a resume of a paused endpoint takes one write: after it nothing can be refused", async () => {
  const answer = await anApp("paused")();

  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({
    state: "enabled",
    resume: { id: "rsm_1", state: "running" },
  });
});

test.each(["paused", "disabled", "enabled"])(
  "enabling an endpoint that is %s answers with its resume, too",
  async (state) => {
    const answer = await anApp(state)("enable");

    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      state: "enabled",
      resume: { id: "rsm_1", state: "running" },
    });
  },
);

test("a resume of an enabled endpoint that is refused has written nothing", async () => {
  const answer = await anApp("enabled")();

  expect(answer.statusCode).toBe(503);
});
