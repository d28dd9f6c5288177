import { Socket } from "node:net";
import { expect, test } from "@jest/globals";
import { testEffects, waitFor } from "@postrider/testkit";
import { SilentBrokers } from "./silent-brokers.ts";

/** Brokers of which some answer, and one connection to each. */
function aCluster(...brokers: string[]) {
  const answering = new Set(brokers);
  const questions: string[] = [];
  const { log } = testEffects();
  const silent = new SilentBrokers({
    brokers,
    log,
    askEveryMs: 0,
    ask: async (broker) => {
      questions.push(broker);
      return answering.has(broker);
    },
  });
  const sockets = new Map(
    brokers.map((broker) => {
      const socket = new Socket().on("error", () => undefined);
      silent.opened(broker, socket);
      return [broker, socket];
    }),
  );
  const openTo = () =>
    brokers.filter((broker) => sockets.get(broker)?.destroyed === false);
  return { silent, answering, questions, log, openTo };
}

test("a broker that answers late, but answers, is not silent", async () => {
  const { silent, openTo, questions } = aCluster("a:1", "b:1");

  silent.late("a:1");
  await waitFor(() => questions.includes("a:1"));
  // The first question has been judged when the second can be asked.
  await waitFor(() => {
    silent.late("a:1");
    return questions.filter((asked) => asked === "a:1").length > 1;
  });

  expect(silent.isSilent("a:1")).toBe(false);
  expect(openTo()).toEqual(["a:1", "b:1"]);
});

test("a broker that does not answer while another one does is silent: its connections end, and those of the others stay", async () => {
  const { silent, answering, openTo, log } = aCluster("a:1", "b:1", "c:1");
  answering.delete("a:1");

  silent.late("a:1");
  await waitFor(() => silent.isSilent("a:1"));

  expect(openTo()).toEqual(["b:1", "c:1"]);
  expect(log.of("broker.silent")).toMatchObject([
    { fields: { broker: "a:1" } },
  ]);
});

test.each([
  ["the only broker", ["a:1"]],
  ["a broker of which the others do not answer either", ["a:1", "b:1"]],
])("%s is never called silent", async (_what, brokers) => {
  const { silent, answering, openTo, questions } = aCluster(...brokers);
  answering.clear();

  await waitFor(() => {
    silent.late("a:1");
    return questions.filter((asked) => asked === "a:1").length > 2;
  });

  expect(silent.isSilent("a:1")).toBe(false);
  expect(openTo()).toEqual(brokers);
});

test("a silent broker is asked until it answers", async () => {
  const { silent, answering, log } = aCluster("a:1", "b:1");
  answering.delete("a:1");
  silent.late("a:1");
  await waitFor(() => silent.isSilent("a:1"));

  answering.add("a:1");
  await waitFor(() => !silent.isSilent("a:1"));

  expect(log.of("broker.heard")).toHaveLength(1);
});

test("of two brokers that fall silent, the last that is left is never called silent", async () => {
  const { silent, answering } = aCluster("a:1", "b:1");
  answering.delete("a:1");
  silent.late("a:1");
  await waitFor(() => silent.isSilent("a:1"));

  answering.delete("b:1");
  silent.late("b:1");
  answering.add("a:1");
  await waitFor(() => !silent.isSilent("a:1"));

  expect(silent.isSilent("b:1")).toBe(false);
});

test("a broker of another cluster is no concern of this one", async () => {
  const { silent, questions } = aCluster("a:1", "b:1");

  silent.late("x:1");

  expect(questions).toEqual([]);
});
