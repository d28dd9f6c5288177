import type { RefObject } from "react";
import { useKeys } from "./use-keys.ts";

/** `j` and `k` move the focus between the links and buttons in the table that have `data-row`; `/` goes to the field with this id. */
export function useRowKeys(
  table: RefObject<HTMLElement | null>,
  searchId: string,
): void {
  useKeys({
    search: () => document.getElementById(searchId)?.focus(),
    next: () => moveFocus(table.current, 1),
    previous: () => moveFocus(table.current, -1),
  });
}

/** Between the rows' links: from none of the rows to the first, or the last. */
function moveFocus(table: HTMLElement | null, by: 1 | -1): void {
  const links = [...(table?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const { activeElement } = document;
  const exact = links.findIndex((link) => link === activeElement);
  // A box or a button of a row counts as that row.
  const at =
    exact === -1
      ? links.findIndex((link) => link.closest("tr")?.contains(activeElement))
      : exact;
  const next = at === -1 && by === -1 ? links.length - 1 : at + by;
  links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
}
