import { type RefObject, useRef } from "react";
import type { ErrorPosition } from "./error-position.ts";
import { insertText } from "./insert-text.ts";
import styles from "./editor.module.css";

const INDENT = "  ";

/** A plain text field with numbered lines. Tab indents, so Escape before it gives it back to whoever walks through the page. */
export function Editor({
  ref,
  value,
  position,
  onChange,
}: {
  readonly ref: RefObject<HTMLTextAreaElement | null>;
  readonly value: string;
  /** Where ClickHouse has stopped reading; its line is marked. */
  readonly position: ErrorPosition | null;
  readonly onChange: (value: string) => void;
}) {
  const numbers = useRef<HTMLPreElement>(null);
  const leavesAtTab = useRef(false);

  function onKeyDown(event: React.KeyboardEvent<HTMLTextAreaElement>): void {
    const isTab = event.key === "Tab" && !event.shiftKey;
    if (isTab && !leavesAtTab.current) {
      event.preventDefault();
      insertText(event.currentTarget, INDENT);
    }
    leavesAtTab.current = event.key === "Escape";
  }

  return (
    <div className={styles.editor}>
      <pre ref={numbers} className={styles.numbers} aria-hidden="true">
        {numbered(value, position?.line)}
      </pre>
      <textarea
        ref={ref}
        id="sql-text"
        className={styles.text}
        aria-label="SQL"
        aria-describedby="sql-keys"
        aria-invalid={position !== null}
        placeholder="SELECT outcome, count() FROM attempts WHERE started_at > now() - INTERVAL 1 HOUR AND attempt_number > 0 GROUP BY outcome"
        rows={10}
        wrap="off"
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onScroll={({ currentTarget }) => {
          if (numbers.current !== null)
            numbers.current.scrollTop = currentTarget.scrollTop;
        }}
      />
    </div>
  );
}

function numbered(text: string, marked: number | undefined): string {
  return text
    .split("\n")
    .map((_, at) => (at + 1 === marked ? `✕ ${at + 1}` : String(at + 1)))
    .join("\n");
}
