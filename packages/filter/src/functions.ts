/** The functions and operators of CEL that a filter may use, and how each is priced. What is not here is refused. */

/** What an argument of a call costs before the call sees it: see `environment.ts`. Most calls cost nothing beyond their share of the expression. */
export type Price =
  /** Read from end to end, or joined to another. */
  | "@text"
  /** Converted: a long text is no number, no time and no truth. */
  | "@short"
  /** Looked for in a list: no list and no map itself. */
  | "@scalar"
  /** Each of its elements may be compared. */
  | "@among"
  /** A key is looked for in it. */
  | "@keyed";

export interface AllowedFunction {
  /** How many arguments as `f(x)`. */
  readonly called: readonly number[];
  /** How many arguments as `x.f()`. */
  readonly method: readonly number[];
  /** Prices of the target, where there is one, and of the arguments, in that order. */
  readonly prices: readonly (Price | null)[];
  /** Whether its result can be true or false: a filter is one such expression. */
  readonly isBool: boolean;
}

function called(
  count: number,
  isBool: boolean,
  prices: readonly (Price | null)[] = [],
): AllowedFunction {
  return { called: [count], method: [], prices, isBool };
}

const METHOD_OF_TEXT: AllowedFunction = {
  called: [],
  method: [1],
  prices: ["@text", "@text"],
  isBool: true,
};
const OF_TIME: AllowedFunction = {
  called: [],
  // Not with a time zone: that makes a formatter for each call, which is slow.
  method: [0],
  prices: [],
  isBool: false,
};
const compared = called(2, true, ["@text", "@text"]);
const converted = called(1, false, ["@short"]);

export const FUNCTIONS: ReadonlyMap<string, AllowedFunction> = new Map([
  ["_&&_", called(2, true)],
  ["_||_", called(2, true)],
  ["!_", called(1, true)],
  ["_?_:_", called(3, true)],
  ["_==_", called(2, true)],
  ["_!=_", called(2, true)],
  ["_<_", compared],
  ["_<=_", compared],
  ["_>_", compared],
  ["_>=_", compared],
  ["@in", called(2, true, ["@scalar", "@among"])],
  ["_+_", called(2, false, ["@text", "@text"])],
  ["_-_", called(2, false)],
  ["_*_", called(2, false)],
  ["_/_", called(2, false)],
  ["_%_", called(2, false)],
  ["-_", called(1, false)],
  ["_[_]", called(2, true, ["@keyed", null])],
  ["@not_strictly_false", called(1, true)],
  ["size", { called: [1], method: [0], prices: ["@text"], isBool: false }],
  ["contains", METHOD_OF_TEXT],
  ["startsWith", METHOD_OF_TEXT],
  ["endsWith", METHOD_OF_TEXT],
  ["int", converted],
  ["uint", converted],
  ["double", converted],
  ["timestamp", converted],
  ["duration", converted],
  ["bool", called(1, true, ["@short"])],
  ["string", called(1, false, ["@text"])],
  ["bytes", called(1, false, ["@text"])],
  ["type", called(1, false)],
  ["dyn", called(1, true)],
  ...[
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
  ].map((name) => [name, OF_TIME] as const),
]);

const OF_LISTS = "a variable and an expression: payload.items.";

/** What is said of a call that is refused, where there is more to say than that it is unknown. A macro that is written wrong is a call. */
export const HINTS: ReadonlyMap<string, string> = new Map([
  [
    "matches",
    "matches is not allowed, because what a regular expression costs has no useful bound: use startsWith, endsWith or contains",
  ],
  ["has", "has takes a field: has(payload.total)"],
  ["exists", `exists takes ${OF_LISTS}exists(i, i.count > 1)`],
  ["exists_one", `exists_one takes ${OF_LISTS}exists_one(i, i.count > 1)`],
  ["all", `all takes ${OF_LISTS}all(i, i.count > 1)`],
  ["filter", `filter takes ${OF_LISTS}filter(i, i.count > 1)`],
  ["map", `map takes ${OF_LISTS}map(i, i.count)`],
]);

/** Types of CEL, which an expression may name to compare them with `type(x)`. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "int",
  "list",
  "map",
  "null_type",
  "string",
  "type",
  "uint",
]);

/** An operator as it is written: `_>_` as `>`, `@in` as `in`. */
export function shownName(name: string): string {
  return /^\w+$/.test(name) && !name.startsWith("_")
    ? name
    : name.replaceAll("_", "").replace("@", "");
}
