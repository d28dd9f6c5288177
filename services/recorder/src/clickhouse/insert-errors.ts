/** Judges an error of an insert: is a value bad, will it pass by itself, or must an operator act? Pure. */
import { BlockError } from "../native/block.ts";

/**
 * A value is bad: the runner halves the batch until the bad row stands alone. ClickHouse refuses such a block before it writes any
 * of it. Our own types fit the tables', so it is a constraint, or a value that does not convert to the type that an operator gave a
 * column. (6 text, 25–27 escapes, quotes and input, 38 date, 41 time, 69 argument range, 70 conversion, 72 number, 128 and 130 array,
 * 131 string size, 190 array sizes, 321 out of the type's range, 349 NULL, 376 UUID, 407 decimal, 467 bool, 469 constraint, 675 and
 * 676 addresses, 691 Enum.)
 */
const VALUE_CODES: ReadonlySet<string> = new Set(
  "6 25 26 27 38 41 69 70 72 128 130 131 190 321 349 376 407 467 469 675 676 691".split(
    " ",
  ),
);

/**
 * Something ended too soon (32, 33). Mostly that is the body, cut off on the way, or a connection between ClickHouse's own servers, and
 * the same block can be taken the next time. Only where a value was being converted is it the value that is too short.
 */
const ENDED_CODES: ReadonlySet<string> = new Set(["32", "33"]);
const OF_A_VALUE = /Cannot parse|while converting/;

/**
 * An operator must act: no such column, table or database (16, 60, 81), a column's type to which ours never converts (48, 53), columns
 * that do not fit (117), read-only (164), no right or no such user (497, 516, 192, 193).
 */
const OPERATOR_CODES: ReadonlySet<string> = new Set(
  "16 48 53 60 81 117 164 192 193 497 516".split(" "),
);

const TOO_MANY_PARTS = "252";
/** Merges need seconds to catch up; an insert that comes sooner adds parts and makes it worse. */
const TOO_MANY_PARTS_WAIT_MS = 5_000;

export type InsertFault =
  | { readonly kind: "refused"; readonly detail: string }
  | {
      readonly kind: "unavailable";
      readonly detail: string;
      readonly needsOperator: boolean;
      readonly waitMs?: number;
    };

/**
 * Judges what `encodeBlock` or `@clickhouse/client` threw. An unknown error is retried: a needless wait costs time only, but needless halving would
 * dead-letter good records. ClickHouse's messages may quote rows, so its own words are passed on only where they quote none.
 */
export function judgeInsertError(error: unknown): InsertFault {
  if (error instanceof BlockError) return judgeBlockError(error);
  const { code, type, message } = error as {
    code?: string;
    type?: string;
    message?: string;
  };
  const isServers = code !== undefined && /^\d+$/.test(code);
  const detail = isServers
    ? `ClickHouse answered ${code}${type === undefined ? "" : ` ${type}`}`
    : `ClickHouse cannot be reached: ${code ?? message ?? String(error)}`;
  if (isServers && isOfAValue(code, message))
    return { kind: "refused", detail };
  if (isServers && OPERATOR_CODES.has(code)) {
    const words = wordsWithoutValues(code, message);
    return { kind: "unavailable", detail: detail + words, needsOperator: true };
  }
  if (code === TOO_MANY_PARTS)
    return {
      kind: "unavailable",
      detail,
      needsOperator: false,
      waitMs: TOO_MANY_PARTS_WAIT_MS,
    };
  return { kind: "unavailable", detail, needsOperator: false };
}

function judgeBlockError({ message: detail, isOfAValue }: BlockError) {
  return isOfAValue
    ? ({ kind: "refused", detail } as const)
    : ({ kind: "unavailable", detail, needsOperator: false } as const);
}

function isOfAValue(code: string, message = ""): boolean {
  if (ENDED_CODES.has(code)) return OF_A_VALUE.test(message);
  return VALUE_CODES.has(code);
}

/** These messages can quote a value: "Cannot convert string '…' to type …". Their end has the name of a column at most. */
const QUOTING_CODES: ReadonlySet<string> = new Set(["48", "53", "117"]);
/** What ClickHouse puts after everything that it quotes. */
const COLUMN_AT_THE_END =
  /: (while converting column "\w+") from type [^:]+: While executing Native\.?\s*$/;

/** What an operator may read of the message of an operator's fault. */
function wordsWithoutValues(code: string, message = ""): string {
  if (!QUOTING_CODES.has(code)) return `: ${message.split("\n")[0]!}`;
  const [, column] = COLUMN_AT_THE_END.exec(message) ?? [];
  return column === undefined ? "" : `, ${column}`;
}
