/** What a key does. `next` and `previous` move in a list, where Enter opens a focused link by itself; `go d` goes to the page of that letter. */
export type KeyAction =
  "search" | "help" | "palette" | "next" | "previous" | `go ${string}`;

/** A key press as the page gets it. */
export interface KeyPress {
  readonly key: string;
  /** With Ctrl, Alt or Meta: that is the browser's. */
  readonly isModified: boolean;
  /** With Ctrl or Cmd and nothing else. */
  readonly isCommand: boolean;
  /** In a field where text is typed. */
  readonly isTyping: boolean;
}

/** Inputs into which nothing is typed. */
const UNTYPED: ReadonlySet<string> = new Set([
  "button",
  "checkbox",
  "color",
  "file",
  "image",
  "radio",
  "range",
  "reset",
  "submit",
]);

/** Whether a key that is pressed there is a letter of a text, or chooses an option by its first one. */
export function isTypedInto({
  tagName,
  type = "",
  isContentEditable,
}: {
  /** As HTML elements have it. */
  readonly tagName: string;
  readonly type?: string;
  readonly isContentEditable: boolean;
}): boolean {
  switch (tagName) {
    case "INPUT":
      return !UNTYPED.has(type);
    case "TEXTAREA":
    case "SELECT":
      return true;
    default:
      return isContentEditable;
  }
}

const SINGLE: Readonly<Record<string, KeyAction>> = {
  "/": "search",
  "?": "help",
  j: "next",
  k: "previous",
};

/** What to do at a key, and whether the next one is the second of a pair (`g d`). */
export function actionOf(
  press: KeyPress,
  isAfterG: boolean,
): { readonly action: KeyAction | null; readonly isAfterG: boolean } {
  // The one with Ctrl, and so also from within a field.
  if (press.isCommand && press.key.toLowerCase() === "k")
    return { action: "palette", isAfterG: false };
  if (press.isModified || press.isTyping)
    return { action: null, isAfterG: false };
  if (isAfterG) return { action: `go ${press.key}`, isAfterG: false };
  const action = Object.hasOwn(SINGLE, press.key) ? SINGLE[press.key] : null;
  return { action: action ?? null, isAfterG: press.key === "g" };
}
