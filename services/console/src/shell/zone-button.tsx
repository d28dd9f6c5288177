import { useZone } from "../parts/zone.tsx";
import styles from "./shell.module.css";

/** Between UTC and the browser's own time zone. Its word is what is shown now. */
export function ZoneButton() {
  const { zone, setZone } = useZone();
  const isUtc = zone === "utc";
  return (
    <button
      type="button"
      className={styles.quiet}
      aria-label={
        isUtc ? "UTC: change to local times" : "Local: change to times in UTC"
      }
      onClick={() => setZone(isUtc ? "local" : "utc")}
    >
      {isUtc ? "UTC" : "Local"}
    </button>
  );
}
