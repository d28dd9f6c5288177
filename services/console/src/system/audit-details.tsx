import { Link } from "@tanstack/react-router";
import type { AuditEntry } from "../api/answers-system.ts";
import { Text } from "../parts/text.tsx";
import { ExactTime } from "../parts/time.tsx";
import { changesOf } from "../shown/audit-changes.ts";
import styles from "./system.module.css";

/** What an entry changed, from what to what, and where else to look. */
export function AuditDetails({ entry }: { readonly entry: AuditEntry }) {
  const { subject, subjectId, actor, requestId } = entry;
  const changes = changesOf(entry.detail);
  const hasBefore = changes.some(({ before }) => before !== null);
  return (
    <div className={styles.inside}>
      <p className={styles.note}>
        <ExactTime at={entry.at} />, by <Text>{actor}</Text>
        {requestId !== "" && (
          <>
            , request <Text>{requestId}</Text>
          </>
        )}
      </p>
      {changes.length === 0 ? (
        <p>No field is named.</p>
      ) : (
        <table className={styles.changes}>
          <thead>
            <tr>
              <th scope="col">Field</th>
              {hasBefore && <th scope="col">Before</th>}
              <th scope="col">{hasBefore ? "After" : "Value"}</th>
            </tr>
          </thead>
          <tbody>
            {changes.map(({ field, before, after, more }) => (
              <tr key={field}>
                <th scope="row">
                  <Text>{field}</Text>
                </th>
                {hasBefore && (
                  <td>
                    <Text>{before ?? "–"}</Text>
                  </td>
                )}
                <td>
                  <Text>{after ?? "–"}</Text>
                  {more !== null && (
                    <small>
                      <Text>{more}</Text>
                    </small>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className={styles.links}>
        {subject === "endpoint" && (
          <Link to="/endpoints/$id" params={{ id: subjectId }}>
            The endpoint
          </Link>
        )}
        {subject === "replay" && (
          <Link to="/replays/$id" params={{ id: subjectId }}>
            The replay
          </Link>
        )}
        <Link to="/system" search={{ tab: "audit", subject, subjectId }}>
          All that was done to it
        </Link>
        <Link to="/system" search={{ tab: "audit", actor }}>
          All that <Text>{actor}</Text> did
        </Link>
      </p>
    </div>
  );
}
