import { useState } from "react";

/** Which rows of a list are chosen, by their keys. What is not shown any more is not chosen any more. */
export interface Chosen<T> {
  readonly rows: readonly T[];
  readonly has: (key: string) => boolean;
  readonly toggle: (key: string) => void;
  /** All of these, or none where they are chosen already. */
  readonly toggleAll: () => void;
  readonly isAll: boolean;
  readonly clear: () => void;
}

/** `rows`: those that may be chosen. */
export function useChosen<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
): Chosen<T> {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  const chosen = rows.filter((row) => keys.has(keyOf(row)));
  const isAll = rows.length > 0 && chosen.length === rows.length;
  return {
    rows: chosen,
    has: (key) => keys.has(key),
    toggle: (key) => {
      const next = new Set(keys);
      if (!next.delete(key)) next.add(key);
      setKeys(next);
    },
    toggleAll: () => setKeys(new Set(isAll ? [] : rows.map(keyOf))),
    isAll,
    clear: () => setKeys(new Set()),
  };
}
