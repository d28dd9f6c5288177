import { expect, test } from "@jest/globals";
import type { SystemProcess } from "../api/answers-system.ts";
import {
  shownCount,
  stageState,
  versionSentence,
  versionsOf,
} from "./lag-sentences.ts";

const running = (version: string | null): SystemProcess => ({
  service: "dispatcher",
  host: "10.0.0.1",
  pid: 1,
  version,
});

test("a number that is not known is a dash, and none is none", () => {
  expect([null, 0, 1_204].map(shownCount)).toEqual(["–", "0", "1,204"]);
});

test.each([
  ["stable", "Served by 1"],
  ["rebalancing", "Rebalancing"],
  ["empty", "No member"],
  ["none", "Never joined"],
  ["unknown", "Not known"],
])("a group that is %s reads: %s", (state, word) => {
  const members = [{ ...running("1.0.0"), partitions: 4 }];

  expect(stageState({ state, members })[1]).toBe(word);
});

test("each version is named once, in the order of their numbers", () => {
  expect(versionsOf(["0.10.0", "0.9.0", "0.10.0"].map(running))).toEqual([
    "0.9.0",
    "0.10.0",
  ]);
});

test("during an upgrade all versions are named, also that of who does not tell", () => {
  expect(versionSentence([running("0.2.0")])).toBe(
    "1 process of version 0.2.0.",
  );
  expect(versionSentence(["0.2.0", null, "0.1.0"].map(running))).toBe(
    "3 processes of 3 versions: one that does not tell, 0.1.0, 0.2.0.",
  );
  expect(versionSentence([])).toBe("No process is seen.");
});
