import styles from "./status.module.css";

/** By its tone: a form, because no meaning is in a colour alone. */
const PATHS = {
  ok: "m3.500 8.500 3 3 6-7",
  bad: "m4 4 8 8m0-8-8 8",
  wait: "M8 3v6M8 12.500v.010",
  idle: "M4 8h8",
} as const;

/** A word that says how something is, with a sign for it. */
export function Sign({
  tone,
  children,
}: {
  readonly tone: keyof typeof PATHS;
  readonly children: string;
}) {
  return (
    <span className={`${styles.status} ${styles[tone]}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={PATHS[tone]} />
      </svg>
      {children}
    </span>
  );
}
