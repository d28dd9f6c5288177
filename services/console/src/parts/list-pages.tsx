import { Button } from "@mantine/core";
import styles from "./list.module.css";

/** The way through a list that the API pages by cursors. */
export function ListPages({
  isFirst,
  nextCursor,
  onGo,
  names = ["Newest", "Older"],
}: {
  readonly isFirst: boolean;
  readonly nextCursor: string | null;
  /** Undefined: the first page. */
  readonly onGo: (cursor: string | undefined) => void;
  /** What the first page and the next one are called. */
  readonly names?: readonly [first: string, next: string];
}) {
  return (
    <nav className={styles.pages} aria-label="Pages of the list">
      <Button
        variant="default"
        disabled={isFirst}
        onClick={() => onGo(undefined)}
      >
        {names[0]}
      </Button>
      <Button
        variant="default"
        disabled={nextCursor === null}
        onClick={() => onGo(nextCursor ?? undefined)}
      >
        {names[1]}
      </Button>
    </nav>
  );
}
