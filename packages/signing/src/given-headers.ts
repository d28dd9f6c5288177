/** Headers in any of the forms in which servers and frameworks give them. */
export type GivenHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | { get(name: string): string | null };

/** One header, by its name in lower case. Of a repeated header, the first value. */
export function headerOf(
  headers: GivenHeaders,
  name: string,
): string | undefined {
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const value =
    headers[name] ??
    Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === "string" || value === undefined ? value : value[0];
}

/** True for the `Headers` of fetch. A plain record may hold a header named `get`, but no function. */
function isHeaders(
  headers: GivenHeaders,
): headers is { get(name: string): string | null } {
  return typeof headers["get" as keyof GivenHeaders] === "function";
}
