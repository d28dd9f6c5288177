import { useState } from "react";
import { shownBytes } from "../shown/amounts.ts";
import { visibleText } from "../shown/visible-text.ts";
import styles from "./text.module.css";

/** Laying out a line of a million characters takes a browser seconds. */
const SHOWN_AT_FIRST = 20_000;
/** No name and no header of ours is as long. */
const LONGEST_NAME = 5_000;

/** A short text of others, such as a name: it cannot change the direction of what is around it. */
export function Text({ children }: { readonly children: string }) {
  return (
    <bdi className={styles.text}>
      {visibleText(children.slice(0, LONGEST_NAME))}
      {children.length > LONGEST_NAME && "…"}
    </bdi>
  );
}

/** A long text of others, such as a body. */
export function TextBlock({
  text,
  label,
}: {
  readonly text: string;
  readonly label: string;
}) {
  const [isWhole, setIsWhole] = useState(false);
  const isCut = !isWhole && text.length > SHOWN_AT_FIRST;
  return (
    <>
      {/* It scrolls, so the keyboard must reach it. */}
      <pre
        className={styles.block}
        dir="ltr"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above
        tabIndex={0}
        role="region"
        aria-label={label}
      >
        {visibleText(isCut ? text.slice(0, SHOWN_AT_FIRST) : text)}
        {isCut && "…"}
      </pre>
      {isCut && (
        <button
          type="button"
          className={styles.more}
          onClick={() => setIsWhole(true)}
        >
          Show all of it ({shownBytes(text.length)})
        </button>
      )}
    </>
  );
}
