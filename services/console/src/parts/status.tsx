import styles from "./status.module.css";

interface Look {
  readonly tone: "ok" | "bad" | "wait" | "idle";
  readonly word: string;
  /** An SVG path in a square of 16: a form, because no meaning is in a colour alone. */
  readonly path: string;
}

const LOOKS: Readonly<Record<string, Look>> = {
  delivered: { tone: "ok", word: "Delivered", path: "m3.500 8.500 3 3 6-7" },
  failed: {
    tone: "wait",
    word: "Failed, will retry",
    path: "M12.500 6A5 5 0 1 0 13 9.500M13 3v3.500H9.500",
  },
  expired: { tone: "bad", word: "Given up", path: "m4 4 8 8m0-8-8 8" },
  pending: { tone: "idle", word: "Pending", path: "M8 3.500V8l3 2" },
  running: {
    tone: "idle",
    word: "Running",
    path: "m5.500 3.500 7 4.500-7 4.500z",
  },
  done: { tone: "ok", word: "Done", path: "m3.500 8.500 3 3 6-7" },
  cancelled: { tone: "idle", word: "Cancelled", path: "m4 4 8 8m0-8-8 8" },
  enabled: { tone: "ok", word: "Enabled", path: "m3.500 8.500 3 3 6-7" },
  paused: { tone: "wait", word: "Paused", path: "M6 4v8M10 4v8" },
  disabled: {
    tone: "bad",
    word: "Disabled",
    path: "M13 8A5 5 0 1 1 3 8a5 5 0 0 1 10 0M4.500 4.500l7 7",
  },
};

/** The status of a delivery, or the state of a replay or an endpoint, as a sign and a word. */
export function Status({ status }: { readonly status: string }) {
  const { tone, word, path } = LOOKS[status] ?? {
    tone: "idle",
    word: status,
    path: "M4 8h8",
  };
  return (
    <span className={`${styles.status} ${styles[tone]}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} />
      </svg>
      {word}
    </span>
  );
}
