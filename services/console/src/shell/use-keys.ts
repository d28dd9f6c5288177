import { useLayoutEffect, useRef } from "react";
import { actionOf, isTypedInto, type KeyAction } from "./keys.ts";

export type KeyHandlers = { readonly [A in KeyAction]?: () => void };

/** Runs a handler at its key, wherever the focus is but for text fields and open dialogs. Keys count from the moment at which the page is shown, so the effects come before that. */
export function useKeys(handlers: KeyHandlers): void {
  const latest = useRef(handlers);
  useLayoutEffect(() => {
    latest.current = handlers;
  });
  useLayoutEffect(() => {
    let isAfterG = false;
    function onKeyDown(event: KeyboardEvent): void {
      if (event.defaultPrevented || document.querySelector("dialog[open]"))
        return;
      const next = actionOf(
        {
          key: event.key,
          isModified: event.ctrlKey || event.altKey || event.metaKey,
          isCommand:
            event.ctrlKey !== event.metaKey && !event.altKey && !event.shiftKey,
          isTyping:
            event.target instanceof HTMLElement && isTypedInto(event.target),
        },
        isAfterG,
      );
      ({ isAfterG } = next);
      const handler = next.action && latest.current[next.action];
      if (!handler) return;
      // The `/` is not to be typed into the field that it leads to.
      event.preventDefault();
      handler();
    }
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}
