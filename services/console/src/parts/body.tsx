import { useMemo, useState } from "react";
import { TextBlock } from "./text.tsx";
import { prettyJson } from "../shown/pretty-json.ts";
import styles from "./card.module.css";

/** A body as text: indented where it is JSON, and as it came. */
export function Body({
  text,
  label,
}: {
  readonly text: string;
  readonly label: string;
}) {
  const pretty = useMemo(() => prettyJson(text), [text]);
  const [isRaw, setIsRaw] = useState(false);
  return (
    <div>
      {pretty !== null && (
        <div className={styles.switch}>
          <button
            type="button"
            aria-pressed={isRaw}
            onClick={() => setIsRaw(!isRaw)}
          >
            As it came
          </button>
        </div>
      )}
      <TextBlock text={isRaw ? text : (pretty ?? text)} label={label} />
    </div>
  );
}
