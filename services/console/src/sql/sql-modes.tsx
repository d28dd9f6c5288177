import { Link } from "@tanstack/react-router";
import { useSession } from "../session/session-context.ts";
import styles from "./sql.module.css";

/** The page's head. A tenant's key may ask the saved queries alone, so it has no choice. */
export function SqlModes() {
  const { caller } = useSession();
  return (
    <div className={styles.head}>
      <h1>SQL</h1>
      {caller.tenantId === null && (
        <nav className={styles.modes} aria-label="Kinds of queries">
          <Link
            to="/sql"
            activeOptions={{ exact: true, includeSearch: false }}
            activeProps={{ "aria-current": "page" }}
          >
            Your own
          </Link>
          <Link to="/sql/saved" activeProps={{ "aria-current": "page" }}>
            Saved queries
          </Link>
        </nav>
      )}
    </div>
  );
}
