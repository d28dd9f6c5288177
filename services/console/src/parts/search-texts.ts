/** What a page reads of its URL: texts under these names. What is empty, or no text, is dropped. */
export function searchTexts<const N extends string>(
  names: readonly N[],
  given: Readonly<Record<string, unknown>>,
): { readonly [K in N]?: string } {
  const found = names.flatMap((name) => {
    const value = given[name];
    return typeof value === "string" && value.trim() !== ""
      ? [[name, value.trim()]]
      : [];
  });
  return Object.fromEntries(found) as { readonly [K in N]?: string }; // of these names only
}
