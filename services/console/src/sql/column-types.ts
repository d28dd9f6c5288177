/** What a column of a result holds, by ClickHouse's name of its type. */

const AROUND = /^(?:Nullable\(|LowCardinality\()*/;

export function isNumber(type: string): boolean {
  return /^(?:U?Int\d|B?Float\d|Decimal)/.test(type.replace(AROUND, ""));
}

export function isText(type: string): boolean {
  return /^(?:String|FixedString|Enum|UUID|Bool)/.test(
    type.replace(AROUND, ""),
  );
}

/** A date, or a time of which the type says that it is UTC: another one may be in the server's own time zone. */
export function isUtcTime(type: string): boolean {
  return /^(?:Date(?:32)?\b(?!T)|DateTime(?:64)?\(.*'UTC'\))/.test(
    type.replace(AROUND, ""),
  );
}
