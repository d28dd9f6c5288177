import { useEffect, useRef, useState } from "react";
import { draftAfter } from "../shown/draft-after.ts";

/** What is typed into a form of filters. Where the URL changes, by a choice or by the browser's own buttons, the form follows, but for what is typed meanwhile. */
export function useDraft<T extends object>(
  search: T,
): readonly [draft: T, setDraft: (draft: T) => void] {
  const [draft, setDraft] = useState(search);
  const shown = useRef(search);
  useEffect(() => {
    const before = shown.current;
    shown.current = search;
    setDraft((typed) => draftAfter(typed, { before, now: search }));
  }, [search]);
  return [draft, setDraft];
}
