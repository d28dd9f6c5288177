/** What a key does. `next` and `previous` move in a list; `open` opens what is chosen there, which Enter does by itself on a focused link. */
export type KeyAction =
  "search" | "help" | "next" | "previous" | "go_deliveries";

/** A key press as the page gets it. */
export interface KeyPress {
  readonly key: string;
  /** With Ctrl, Alt or Meta: that is the browser's. */
  readonly isModified: boolean;
  /** In a field where text is typed. */
  readonly isTyping: boolean;
}

const SINGLE: Readonly<Record<string, KeyAction>> = {
  "/": "search",
  "?": "help",
  j: "next",
  k: "previous",
};

const AFTER_G: Readonly<Record<string, KeyAction>> = { d: "go_deliveries" };

/** What to do at a key, and whether the next one is the second of a pair (`g d`). */
export function actionOf(
  press: KeyPress,
  isAfterG: boolean,
): { readonly action: KeyAction | null; readonly isAfterG: boolean } {
  if (press.isModified || press.isTyping)
    return { action: null, isAfterG: false };
  if (isAfterG)
    return { action: of(AFTER_G, press.key) ?? null, isAfterG: false };
  return {
    action: of(SINGLE, press.key) ?? null,
    isAfterG: press.key === "g",
  };
}

function of(
  table: Readonly<Record<string, KeyAction>>,
  key: string,
): KeyAction | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
