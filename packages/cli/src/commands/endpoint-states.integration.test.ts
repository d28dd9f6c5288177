/** `endpoints pause`, `disable`, `enable` and `resume`. */
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();

test("an endpoint is paused and disabled with a reason, and resumed", async () => {
  fake.answer = () => [200, { id: "ep_1", state: "paused", resume: null }];

  for (const line of [
    "pause ep_1 --reason moving",
    "disable ep_1 --if-version 3",
    "resume ep_1 --json",
  ]) {
    const ran = await fake.postrider(["endpoints", ...line.split(" ")], {
      env: fake.env(),
    });
    expect(ran.code).toBe(0);
  }

  expect(fake.asked.map(({ line, body }) => [line, body])).toEqual([
    ["POST /v1/endpoints/ep_1/pause", '{"reason":"moving"}'],
    ["POST /v1/endpoints/ep_1/disable", "{}"],
    ["POST /v1/endpoints/ep_1/resume", ""],
  ]);
  expect(fake.asked[1]?.headers["if-match"]).toBe('"3"');
});

/** Answers like control, with these states of a resume one after the other; the last one stays. */
function answerResumes(...states: readonly Record<string, unknown>[]): void {
  let reads = 0;
  const at = (n: number) => ({
    id: "rsm_1",
    endpointId: "ep_1",
    detail: null,
    read: 1,
    total: 4,
    sent: 1,
    ...states[Math.min(n, states.length - 1)],
  });
  fake.answer = ({ line }) =>
    line.startsWith("POST")
      ? [200, { id: "ep_1", state: "enabled", resume: at(0) }]
      : [200, at((reads += 1))];
}

test("a watched resume shows its progress, and ends with 0 when it is done", async () => {
  answerResumes(
    { state: "running" },
    { state: "running", read: 4, sent: 3 },
    { state: "done", read: 4, sent: 3 },
  );

  const ran = await fake.postrider(["endpoints", "resume", "ep_1", "--watch"], {
    env: fake.env(),
  });

  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain("read 1 of 4 dead letters, sent 1 delivery");
  expect(ran.stderr).toContain("waiting until no dispatcher parks any more");
  expect(ran.stdout).toMatch(/state +done/);
});

test.each([
  ["cancelled", { state: "cancelled", detail: "by hand" }, "by hand"],
  ["followed by another one", { state: "running", id: "rsm_2" }, "rsm_1"],
])("a watched resume that is %s ends with 1 and says so", async (...of) => {
  const [, state, why] = of;
  answerResumes({ state: "running" }, state);

  const ran = await fake.postrider(
    ["endpoints", "resume", "ep_1", "--watch", "--json"],
    { env: fake.env() },
  );

  expect(ran.code).toBe(1);
  expect(ran.stdout + ran.stderr).toContain(why);
  expect(ran.stdout + ran.stderr).toContain("endpoints resume ep_1");
});

test("a resume is cancelled by its own request, and what that means is said", async () => {
  answerResumes({ state: "cancelled", detail: "by hand" });

  const ran = await fake.postrider(
    ["endpoints", "resume", "ep_1", "--cancel"],
    {
      env: fake.env(),
    },
  );

  expect(ran.code).toBe(0);
  expect(fake.asked.map(({ line }) => line)).toEqual([
    "DELETE /v1/endpoints/ep_1/resume",
  ]);
  expect(ran.stderr).toContain("What was not sent stays parked");
  expect(ran.stderr).toContain("endpoints resume ep_1");
});

test("enabling an endpoint says that a resume was started, and how to watch it", async () => {
  answerResumes({ state: "running" });

  const ran = await fake.postrider(["endpoints", "enable", "ep_1"], {
    env: fake.env(),
  });

  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/state +enabled/);
  expect(ran.stderr).toContain("endpoints resume ep_1 --watch");
});

test.each([["done"], ["cancelled"]])(
  "enabling an endpoint whose resume is %s already says nothing of it",
  async (state) => {
    answerResumes({ state });

    const ran = await fake.postrider(["endpoints", "enable", "ep_1"], {
      env: fake.env(),
    });

    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe("");
  },
);
