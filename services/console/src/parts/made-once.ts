export type What = "secret" | "token";

/** How it ended. `Note` is what is said of it. */
type Ended<Note> =
  | {
      readonly kind: "made";
      readonly what: What;
      readonly value: string;
      readonly note: Note;
    }
  /** Whoever had asked is gone. */
  | { readonly kind: "failed"; readonly what: What; readonly error: unknown };

/** `told`: it failed, and says so where it was asked for. */
export type MadeEvent<Note> =
  Ended<Note> | { readonly kind: "asked" | "told" | "closed" };

export interface MadeOnce<Note> {
  /** How many answers are awaited. */
  readonly pending: number;
  /** What is to be shown: one after the other. */
  readonly ended: readonly Ended<Note>[];
}

export const NOTHING_MADE: MadeOnce<never> = { pending: 0, ended: [] };

/** Nothing that was made goes before somebody has closed it. */
export function madeAfter<Note>(
  { pending, ended }: MadeOnce<Note>,
  event: MadeEvent<Note>,
): MadeOnce<Note> {
  switch (event.kind) {
    case "asked":
      return { pending: pending + 1, ended };
    case "told":
      return { pending: pending - 1, ended };
    case "made":
    case "failed":
      return { pending: pending - 1, ended: [...ended, event] };
    case "closed":
      return { pending, ended: ended.slice(1) };
  }
}
