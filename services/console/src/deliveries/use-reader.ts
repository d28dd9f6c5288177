import { type RefObject, useEffect } from "react";

/**
 * Calls `onRead` once somebody is in the list: it is scrolled over the upper edge, the focus or a pointer moves into it. From then on no
 * row may move, because it is read, or about to be clicked on.
 */
export function useReader(
  list: RefObject<HTMLElement | null>,
  isWatched: boolean,
  onRead: () => void,
): void {
  useEffect(() => {
    const element = list.current;
    if (element === null || !isWatched) return undefined;
    const watch = new AbortController();
    const { signal } = watch;
    const read = (): void => {
      watch.abort();
      onRead();
    };
    const isIn = (): boolean =>
      element.getBoundingClientRect().top < 0 ||
      element.contains(document.activeElement);
    if (isIn()) {
      read();
      return undefined;
    }
    addEventListener(
      "scroll",
      () => {
        if (isIn()) read();
      },
      {
        signal,
        passive: true,
      },
    );
    element.addEventListener("focusin", read, { signal });
    element.addEventListener(
      "pointermove",
      // Where rows move below a pointer that rests, a browser may say that it has moved.
      ({ movementX, movementY }) => {
        if (movementX !== 0 || movementY !== 0) read();
      },
      { signal },
    );
    return () => watch.abort();
  }, [list, isWatched, onRead]);
}
