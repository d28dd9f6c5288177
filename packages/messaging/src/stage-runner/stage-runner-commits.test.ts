import { expect, test } from "@jest/globals";
import { CommitError } from "../ports.ts";
import { soon, turns, useStageRunner } from "@postrider/testkit";

const runners = useStageRunner();

test("a failed commit is not tried again: the next one includes its progress", async () => {
  const under = await runners.started(["a/1", "b/1"]);
  const gate = under.holdCommits();
  under.handlingOf("a/1").emit();
  await under.commitsSent(1);
  under.handlingOf("b/1").emit();
  await turns();

  under.answerCommits();
  gate.reject(new CommitError("away"));
  await soon(() => {
    under.clock.advance(100);
    return under.consumer.commits.length === 2;
  });

  expect(under.lastCommit()).toEqual({ offset: 2, next: 2, open: [] });
});

test("on revoking, a commit of all that is done starts before the call returns, though another commit is in flight", async () => {
  const under = await runners.started(["a/1", "b/1"]);
  under.holdCommits();
  under.handlingOf("a/1").emit();
  await under.commitsSent(1);
  under.handlingOf("b/1").emit();
  await turns();

  under.consumer.revoke();

  expect(under.consumer.commits.map(([epoch]) => epoch)).toEqual([1, 1]);
  expect(under.lastCommit()).toMatchObject({ offset: 2 });
});

test("when the last commit before a rebalance fails, though the one before it was acknowledged, the next assignment commits its progress", async () => {
  const under = await runners.started(["a/1", "b/1"]);
  const first = under.holdCommits();
  under.handlingOf("a/1").emit();
  await under.commitsSent(1);
  const last = under.holdCommits();
  under.handlingOf("b/1").emit();
  await turns();
  under.consumer.revoke();
  under.answerCommits();

  first.resolve();
  await turns();
  last.reject(new CommitError("away"));
  await under.assign(0, 1);

  await soon(() => {
    // The next commit may leave a little after the one that failed.
    under.clock.advance(100);
    return under.consumer.stored.get(0)?.offset === 2;
  });
});

test("when the last commit before a rebalance fails only after the next assignment has begun, its progress is committed though nothing else happens", async () => {
  const under = await runners.started(["a/1"]);
  const last = under.holdCommits();
  under.handlingOf("a/1").emit();
  await under.commitsSent(1);
  under.consumer.revoke();
  under.answerCommits();
  await under.assign(0, 1);
  await turns();

  last.reject(new CommitError("away"));

  await soon(() => {
    // The next commit may leave a little after the one that failed.
    under.clock.advance(100);
    return under.consumer.stored.get(0)?.offset === 1;
  });
});

test("a late answer to a commit of the previous assignment does not hide that a commit of this one is unanswered", async () => {
  const under = await runners.started(["a/1", "b/1"]);
  const first = under.holdCommits();
  under.handlingOf("a/1").emit();
  await under.commitsSent(1);
  under.consumer.revoke();
  under.answerCommits();
  await under.assign(0, 1);
  const second = under.holdCommits();
  under.handlingOf("b/1").emit();
  await under.commitsSent(2);

  first.resolve();
  await turns();
  under.answerCommits();
  second.reject(new CommitError("away"));

  await soon(() => {
    // The next commit may leave a little after the one that failed.
    under.clock.advance(100);
    return under.consumer.stored.get(0)?.offset === 2;
  });
});

test("between the first sign of a rebalance and the new assignment nothing starts and nothing is committed", async () => {
  const under = await runners.started(["a/1", "a/2", "b/1"]);
  under.consumer.revoke();

  under.handlingOf("a/1").emit();
  await turns();

  expect(under.started).toEqual(["a/1", "b/1"]);
  expect(under.consumer.commits).toEqual([]);
});
