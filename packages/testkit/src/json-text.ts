/** Random JSON text, for tests that what stands in a record is delivered byte for byte. By itself, because it loads fast-check. */
import fc from "fast-check";

/** White space between two tokens, or none. */
export const jsonSpace = fc.constantFrom("", "", " ", "\n", "\t \r\n");

const string = fc.oneof(
  fc
    .string({ unit: "binary", maxLength: 8 })
    .map((text) => JSON.stringify(text)),
  // Spelled as no serialiser would.
  fc.constantFrom(
    '"\\ud800"',
    '"\\u0041\\/"',
    '"\\uD83D\\ude00"',
    '"grüße"',
    '"\\u0000"',
    '""',
  ),
);
const number = fc.oneof(
  fc.bigInt().map(String),
  fc.constantFrom(
    "-0",
    "1.0",
    "1.50E+003",
    "1e-2",
    "9007199254740993",
    "0.10000000000000000000001",
  ),
);

/** JSON text with any spelling: integers of any size, repeated keys, any order, lone surrogates, white space anywhere inside. */
export const { json: jsonText } = fc.letrec<{ json: string }>((tie) => {
  const inner = tie("json");
  const item = fc
    .tuple(jsonSpace, inner, jsonSpace)
    .map((parts) => parts.join(""));
  const member = fc
    .tuple(jsonSpace, string, jsonSpace, item)
    .map(([before, key, after, value]) => `${before}${key}${after}:${value}`);
  return {
    json: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.oneof(number, string, fc.constantFrom("true", "false", "null")),
      fc.array(item, { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
      fc
        .array(member, { maxLength: 4 })
        .chain((members) =>
          // Some of them twice.
          fc.constantFrom(members, [...members, ...members.slice(0, 1)]),
        )
        .map((members) => `{${members.join(",")}}`),
    ),
  };
});

/** What may stand before JSON in a record. */
export const byteOrderMark = fc.constantFrom("", "\ufeff");
