import { expect, test } from "@jest/globals";
import { typesCheck } from "./types-check.ts";

const UNREAD = "control has not been read to its end yet";
const HOLE = "control has a hole";

test.each([
  [
    "before the topic was read for the first time",
    { ageMs: Infinity, table: UNREAD, types: null },
    { isOk: false, detail: UNREAD },
  ],
  [
    "once it was read",
    { ageMs: 900, table: null, types: null },
    { isOk: true, detail: "nothing waits for them" },
  ],
  [
    "while the table has a hole, and nobody's events are held to it",
    { ageMs: 900, table: HOLE, types: null },
    { isOk: true, detail: "nothing waits for them" },
  ],
  [
    "while the table has a hole, and events are held to it",
    { ageMs: 900, table: HOLE, types: HOLE },
    { isOk: false, detail: HOLE },
  ],
])("readiness of the event types %s", (_, is, expected) => {
  const check = typesCheck(
    { behind: () => is.types },
    { ageMs: () => is.ageMs, behind: () => is.table },
  );

  expect(check).toEqual({ name: "event-types", ...expected });
});
