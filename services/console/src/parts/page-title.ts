import { useEffect } from "react";
import { visibleText } from "../shown/visible-text.ts";

/** The title of the tab. Ids in it may be texts of others. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${visibleText(title)} · Postrider`;
  }, [title]);
}
