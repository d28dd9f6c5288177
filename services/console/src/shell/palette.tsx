import { useRouter } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { Dialog } from "../parts/dialog.tsx";
import { Text } from "../parts/text.tsx";
import { PAGES } from "./pages.ts";
import { paletteEntries, type PaletteEntry } from "./palette-entries.ts";
import styles from "./palette.module.css";

/**
 * One field that leads to all pages and commands: a combobox with a list, as ARIA's patterns have it. The focus stays in the field;
 * arrows choose, Enter does it.
 */
export function Palette({
  onChosen,
  onClose,
}: {
  readonly onChosen: (entry: PaletteEntry) => void;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const { routesByPath } = useRouter();
  const places = useMemo(
    () => ({ pages: PAGES, paths: new Set(Object.keys(routesByPath)) }),
    [routesByPath],
  );
  const entries = useMemo(() => paletteEntries(text, places), [text, places]);

  function choose(next: number): void {
    const chosen = (next + entries.length) % entries.length;
    setAt(chosen);
    list.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }

  function onKeyDown(event: React.KeyboardEvent): void {
    const { key } = event;
    // While characters are composed, these keys are for the composition.
    if (event.nativeEvent.isComposing) return;
    const isToggle =
      key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    const entry = entries[at];
    if (isToggle) onClose();
    else if (key === "Enter" && entry !== undefined) onChosen(entry);
    else if (key === "ArrowDown" && entry !== undefined) choose(at + 1);
    else if (key === "ArrowUp" && entry !== undefined) choose(at - 1);
    else return;
    event.preventDefault();
  }

  return (
    <Dialog title="Go to, or do" onClose={onClose}>
      <input
        className={styles.field}
        role="combobox"
        aria-label="A page, a filter, a command, or an id"
        aria-expanded={entries.length > 0}
        aria-controls="palette-list"
        aria-autocomplete="list"
        aria-activedescendant={entries.length > 0 ? `palette-${at}` : undefined}
        placeholder="A page, a filter, or the id of a delivery, event or endpoint"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul
        ref={list}
        id="palette-list"
        className={styles.list}
        role="listbox"
        aria-label="What there is"
      >
        {entries.map((entry, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the field above has the keys
          <li
            key={`${entry.kind} ${entry.name}`}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            onClick={() => onChosen(entry)}
          >
            <Text>{entry.name}</Text>
            <small>{entry.kind}</small>
          </li>
        ))}
      </ul>
      <p className={styles.note} role="status">
        {entries.length === 0
          ? "Nothing has this name. An id has no spaces."
          : "↑ ↓ choose, Enter goes there, Esc closes"}
      </p>
    </Dialog>
  );
}
