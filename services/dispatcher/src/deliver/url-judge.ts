/** Caches core's judgement of each URL, so that an endpoint's URL is not judged again for each attempt. */
import { judgeUrl, type UrlJudgement, type UrlPolicy } from "@postrider/core";

const MAX_CACHED = 10_000;

export function createUrlJudge(
  policy: UrlPolicy,
): (url: string) => UrlJudgement {
  const known = new Map<string, UrlJudgement>();
  return (url) => {
    const found = known.get(url);
    if (found !== undefined) return found;
    const judgement = judgeUrl(url, policy);
    // Cleared whole, no LRU: most URLs of inline destinations come only once.
    if (known.size >= MAX_CACHED) known.clear();
    known.set(url, judgement);
    return judgement;
  };
}
