import { expect, test } from "@jest/globals";
import { BlockError } from "../native/block.ts";
import { judgeInsertError } from "./insert-errors.ts";

const serverError = (
  code: string,
  message = "Cannot read: 'card 4111' at row 7\nmore",
) => Object.assign(new Error(message), { code, type: "SOME_TYPE" });

test.each(["27", "41", "469", "25"])("code %s is a bad value", (code) => {
  expect(judgeInsertError(serverError(code)).kind).toBe("refused");
});

test.each([
  [
    "32",
    'Attempt to read after eof: Cannot parse Int32 from String, because value is too short: while converting column "worker" from type String to type Int32: While executing Native.',
  ],
  [
    "32",
    'Attempt to read after eof: while converting column "worker" from type String to type Decimal(9, 2): While executing Native.',
  ],
  [
    "33",
    'Cannot read all data. Bytes read: 1. Bytes expected: 4.: while converting column "worker" from type String to type UUID: While executing Native.',
  ],
])("code %s of a value that is too short is a bad value: %s", (code, words) => {
  expect(judgeInsertError(serverError(code, words)).kind).toBe("refused");
});

test.each([
  ["32", "Attempt to read after eof: while receiving packet from shard2:9000"],
  ["32", "Attempt to read after eof: While executing Native."],
  [
    "33",
    "Cannot read all data. Bytes read: 7. Bytes expected: 9: While executing Native.",
  ],
  [
    "33",
    "Cannot read all data in NativeReader. Rows read: 224. Rows expected: 300: While executing Native.",
  ],
])(
  "code %s of a connection or body that was cut off is tried again: %s",
  (code, words) => {
    expect(judgeInsertError(serverError(code, words))).toMatchObject({
      kind: "unavailable",
      needsOperator: false,
    });
  },
);

test.each(["60", "16", "48", "53", "117", "164", "497", "516"])(
  "code %s waits for an operator",
  (code) => {
    expect(judgeInsertError(serverError(code))).toMatchObject({
      kind: "unavailable",
      needsOperator: true,
    });
  },
);

test.each([
  "159",
  "202",
  "203",
  "209",
  "210",
  "241",
  "242",
  "319",
  "999",
  "49",
])("code %s is tried again", (code) => {
  expect(judgeInsertError(serverError(code))).toMatchObject({
    kind: "unavailable",
    needsOperator: false,
  });
});

test("too many parts waits longer", () => {
  expect(judgeInsertError(serverError("252"))).toMatchObject({ waitMs: 5_000 });
});

test.each([
  Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  Object.assign(new Error("read"), { code: "ECONNRESET" }),
  new Error("Timeout error."),
  new Error("socket hang up"),
])("a broken connection is tried again: %s", (error) => {
  expect(judgeInsertError(error)).toMatchObject({
    kind: "unavailable",
    needsOperator: false,
  });
});

test.each(["27", "48", "53", "117", "252", "999"])(
  "what code %s quotes of a row is not repeated",
  (code) => {
    expect(JSON.stringify(judgeInsertError(serverError(code)))).not.toContain(
      "4111",
    );
  },
);

const AT_THE_END =
  'while converting column "worker" from type String to type Map(String, String): While executing Native.';

test.each(["48", "53", "117"])(
  "of code %s the column is told, and nothing that it quotes of a row",
  (code) => {
    const quoted = `: while converting column "4111" from type a: While executing Native.`;
    const words = `Cannot convert string '${quoted}' to type Map(String, String): ${AT_THE_END} `;

    expect(judgeInsertError(serverError(code, words))).toMatchObject({
      detail: `ClickHouse answered ${code} SOME_TYPE, while converting column "worker"`,
    });
    expect(judgeInsertError(serverError(code, quoted + "'"))).toMatchObject({
      detail: `ClickHouse answered ${code} SOME_TYPE`,
    });
  },
);

test.each([
  [new TypeError("Received type string ('4111')"), "refused"],
  [new RangeError("Array buffer allocation failed"), "unavailable"],
])("a block that failed with %s is %s", (cause, kind) => {
  const fault = judgeInsertError(new BlockError("payload", cause));

  expect(fault).toMatchObject({
    kind,
    detail: `no block could be made of the rows: column payload: ${cause.name}`,
  });
});

test.each([
  ["285", "too few replicas are alive for the quorum"],
  ["319", "the quorum was not reached in time"],
  ["242", "the table is read-only, as Keeper is away"],
  ["999", "Keeper answers an error"],
])(
  "code %s of a replicated table is tried again, and no row is given up: %s",
  (code) => {
    expect(judgeInsertError(serverError(code))).toMatchObject({
      kind: "unavailable",
      needsOperator: false,
    });
  },
);
