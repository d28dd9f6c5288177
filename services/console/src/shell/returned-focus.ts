import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { isFocusLost, keepFocus } from "../parts/lost-focus.ts";

/**
 * Whoever comes back to a list finds the focus on the row that was opened there; on any other way to another page, a focus that went
 * with the page before is on the new one. What was opened from where is known by the entry of the tab's history, as long as the tab is.
 */
export function useReturnedFocus(): void {
  const router = useRouter();
  useEffect(() => {
    const opened = new Map<string, string>();
    let waiting: MutationObserver | null = null;
    const leaveOff = (): void => waiting?.disconnect();

    /** The row may come later than its page. Whoever has put the focus somewhere meanwhile keeps it there. */
    function focusRow(href: string): void {
      const look = (): void => {
        const row = [
          ...document.querySelectorAll<HTMLAnchorElement>("a[data-row]"),
        ].find((link) => link.hash === `#${href}`);
        if (row === undefined && isFocusLost()) return;
        leaveOff();
        if (isFocusLost()) row?.focus();
      };
      waiting = new MutationObserver(look);
      waiting.observe(document.body, { childList: true, subtree: true });
      look();
    }

    const ends = [
      router.subscribe("onBeforeNavigate", ({ fromLocation, toLocation }) => {
        leaveOff();
        const from = fromLocation?.state.__TSR_key;
        if (from !== undefined && fromLocation?.href !== toLocation.href)
          opened.set(from, toLocation.href);
      }),
      router.subscribe("onRendered", ({ toLocation, pathChanged }) => {
        if (!pathChanged) return;
        const href = opened.get(toLocation.state.__TSR_key ?? "");
        keepFocus();
        if (href !== undefined) focusRow(href);
      }),
    ];
    return () => {
      leaveOff();
      for (const end of ends) end();
    };
  }, [router]);
}
