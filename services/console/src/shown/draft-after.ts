/**
 * What a form of filters holds once the URL says `now` and no longer `before`. Only what differs between the two takes the place of what is
 * typed: a choice that counts at once must not take away a text that waits for Enter.
 */
export function draftAfter<T extends object>(
  draft: T,
  { before, now }: { readonly before: T; readonly now: T },
): T {
  const [then, given] = [before, now].map(
    (search) => new Map<string, unknown>(Object.entries(search)),
  );
  const kept = Object.entries(draft).filter(
    ([name]) => then?.get(name) === given?.get(name),
  );
  return { ...now, ...Object.fromEntries(kept) };
}
