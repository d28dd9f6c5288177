import { expect, test } from "@jest/globals";
import { CliError, EXIT } from "./cli-error.ts";
import { watchResume, type Resume } from "./resume-watch.ts";

const FIRST: Resume = {
  id: "rsm_1",
  endpointId: "ep_1",
  state: "running",
  detail: null,
  read: 0,
  total: 0,
  sent: 0,
  unreadable: 0,
  lost: 0,
};
const DONE: Resume = { ...FIRST, state: "done", sent: 3 };

/** Watches, with these answers one after the other. */
async function watched(...answers: readonly (Resume | CliError)[]) {
  let at = 0;
  return await watchResume(
    FIRST,
    async () => {
      const answer = answers[at++];
      if (answer === undefined) throw new Error("asked too often");
      if (answer instanceof CliError) throw answer;
      return answer;
    },
    { progress: () => {} },
    1,
  );
}

test("its progress is that of reading the dead letters", async () => {
  const shown: unknown[] = [];
  const answers = [{ ...FIRST, read: 3, total: 4, sent: 2 }, DONE];

  await watchResume(
    { ...FIRST, total: 4 },
    async () => answers.shift()!,
    { progress: (_text, of) => void shown.push(of) },
    1,
  );

  expect(shown).toEqual([
    { done: 0, total: 4 },
    { done: 3, total: 4 },
  ]);
});

test("a replica that has not read the resume yet is asked again", async () => {
  const older = { ...DONE, id: "rsm_0" };
  const none = { ...FIRST, id: null, state: "parked" };
  const unknown = new CliError(EXIT.notFound, "was never paused");

  expect(await watched(older, none, unknown, FIRST, DONE)).toEqual(DONE);
});

test("once the resume was seen, another one is a newer one", async () => {
  const newer = { ...FIRST, id: "rsm_2" };

  await expect(watched(FIRST, newer)).rejects.toMatchObject({
    exitCode: EXIT.failed,
    message: expect.stringContaining("followed by another"),
  });
});

test.each([
  ["unreadable", { unreadable: 1 }],
  ["lost", { lost: 1 }],
])(
  "a resume that is done and left something %s ends with 1",
  async (_what, left) => {
    const done = { ...DONE, ...left, detail: "1 of them" };

    await expect(watched(done)).rejects.toMatchObject({
      exitCode: EXIT.failed,
      why: expect.stringContaining("1 of them"),
    });
  },
);
