import { describe, expect, test } from "@jest/globals";
import {
  isSameSchema,
  judgeEvolution,
  judgeRepeatedRecords,
} from "../scripts/avro-evolution.ts";

interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
  readonly doc?: string;
}

const record = (...fields: readonly Field[]): string =>
  JSON.stringify({ type: "record", name: "Thing", namespace: "test", fields });
const id: Field = { name: "id", type: "string" };
const size: Field = { name: "size", type: "int", default: 0 };

describe("a schema that follows its earlier versions", () => {
  test("passes when it equals the newest of them", () => {
    expect(
      judgeEvolution({
        name: "thing",
        current: record(id, size),
        versions: [record(id), record(id, size)],
      }),
    ).toEqual([]);
  });

  test("may change its texts for people without being frozen", () => {
    const current = record({ ...id, doc: "The thing." });

    expect(
      judgeEvolution({ name: "thing", current, versions: [record(id)] }),
    ).toEqual([]);
  });

  test("must be frozen when it has changed in an allowed way", () => {
    const problems = judgeEvolution({
      name: "thing",
      current: record(id, size),
      versions: [record(id)],
    });

    expect(problems).toEqual([
      "thing: differs from version 1 and is not frozen. Run: node scripts/check-schemas.ts --freeze",
    ]);
  });

  test("must be frozen when it is new", () => {
    const problems = judgeEvolution({
      name: "thing",
      current: record(id),
      versions: [],
    });

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("is new and is not frozen");
  });
});

describe("a schema that cannot follow", () => {
  test.each([
    ["a field without a default is added", record(id, { ...id, name: "to" })],
    ["a field without a default is removed", record(size)],
    ["a type is widened", record(id, { ...size, type: "long" })],
    ["a type is changed", record({ ...id, type: "int" })],
    ["the record is renamed", record(id).replace("Thing", "Object")],
  ])("is refused when %s", (_what, current) => {
    const problems = judgeEvolution({
      name: "thing",
      current,
      versions: [record(id, size)],
    });

    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]).toContain("cannot read");
  });

  test("is refused for a version that is not the newest", () => {
    const asText = { ...size, type: "string", default: "" };

    const problems = judgeEvolution({
      name: "thing",
      current: record(id, asText),
      versions: [record(id, size), record(id), record(id, asText)],
    });

    expect(problems.join(" ")).toContain("version 1");
  });

  test("is reported when it was removed", () => {
    const problems = judgeEvolution({
      name: "thing",
      current: undefined,
      versions: [record(id)],
    });

    expect(problems[0]).toContain("keep the schema");
  });
});

test("a record that two schemas contain must be the same in both", () => {
  const within = (inner: string): string =>
    JSON.stringify({
      type: "record",
      name: "Outer",
      namespace: "test",
      fields: [{ name: "inner", type: JSON.parse(inner) as unknown }],
    });

  const equal = judgeRepeatedRecords(
    new Map([
      ["thing", record(id)],
      ["outer", within(record(id))],
    ]),
  );
  const different = judgeRepeatedRecords(
    new Map([
      ["thing", record(id)],
      ["outer", within(record(id, size))],
    ]),
  );

  expect(equal).toEqual([]);
  expect(different[0]).toContain("differs between thing and outer");
});

test("a default belongs to the schema, its texts for people do not", () => {
  expect(isSameSchema(record(size), record({ ...size, doc: "Bytes." }))).toBe(
    true,
  );
  expect(isSameSchema(record(size), record({ ...size, default: 1 }))).toBe(
    false,
  );
});
