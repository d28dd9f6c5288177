/** Core's judgement of a URL, kept: an endpoint's URL is judged once, not for each attempt. */
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
    // Emptied as a whole: many callback URLs of inline destinations come once each.
    if (known.size >= MAX_CACHED) known.clear();
    known.set(url, judgement);
    return judgement;
  };
}
