/** Caches core's judgement of each URL, so that an endpoint's URL is not judged again for each attempt. */
import { judgeUrl, type UrlJudgement, type UrlPolicy } from "@postrider/core";

const MAX_CACHED = 10_000;
/** A publisher may write long URLs, each of which comes once, in letters that take nine characters in a normalised URL. */
const MAX_CACHED_CHARACTERS = 8_000_000;

export function createUrlJudge(
  policy: UrlPolicy,
): (url: string) => UrlJudgement {
  const known = new Map<string, UrlJudgement>();
  let characters = 0;
  return (url) => {
    const found = known.get(url);
    if (found !== undefined) return found;
    const judgement = judgeUrl(url, policy);
    const length = charactersOf(url, judgement);
    // Cleared whole, no LRU: most URLs of inline destinations come only once.
    if (
      known.size >= MAX_CACHED ||
      characters + length > MAX_CACHED_CHARACTERS
    ) {
      known.clear();
      characters = 0;
    }
    known.set(url, judgement);
    characters += length;
    return judgement;
  };
}

/** As it was written, and normalised: whole, and its path. */
function charactersOf(url: string, judgement: UrlJudgement): number {
  return url.length + (judgement.ok ? 2 * judgement.url.href.length : 0);
}
