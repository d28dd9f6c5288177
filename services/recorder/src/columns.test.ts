import { expect, test } from "@jest/globals";
import { anIntake } from "@postrider/testkit";
import { EVENT_COLUMNS, rowOf } from "./columns.ts";

const raw = {
  topic: "t.intake",
  partition: 0,
  offset: 0,
  timestamp: 0,
  key: null,
  value: null,
  headers: {},
};

test("an intake that holds a secret header in clear has it redacted in its row", () => {
  const intake = anIntake({ headers: { "X-Api-Key": "hush", a: "b" } });

  const row = rowOf(EVENT_COLUMNS, intake, raw);

  expect(row).toContainEqual({ "X-Api-Key": "[redacted]", a: "b" });
  expect(JSON.stringify(row)).not.toContain("hush");
});
