import { expect, test } from "@jest/globals";
import { tablesOf } from "./schema.ts";

test("a view's columns mean what those of its table mean", () => {
  const tables = tablesOf([
    ["deliveries", "One row each.", "", "status", "String", "As it stands."],
    ["deliveries", "One row each.", "", "own", "String", ""],
    ["delivery_status", "", "deliveries", "status", "String", ""],
    ["delivery_status", "", "deliveries", "other", "String", ""],
  ]);

  expect(tables).toEqual([
    {
      name: "deliveries",
      comment: "One row each.",
      columns: [
        { name: "status", type: "String", comment: "As it stands." },
        { name: "own", type: "String", comment: "" },
      ],
    },
    {
      name: "delivery_status",
      comment: "A view of deliveries.",
      columns: [
        { name: "status", type: "String", comment: "As it stands." },
        { name: "other", type: "String", comment: "" },
      ],
    },
  ]);
});
