import { useQuery } from "@tanstack/react-query";
import type { QueryAnswer } from "../api/answers-queries.ts";
import { Failure, Loading } from "../parts/notices.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { SCHEMA_SQL, tablesOf } from "./schema.ts";
import styles from "./schema-list.module.css";

/** The tables, and what their columns mean. A click puts a name where the cursor is. */
export function SchemaList({
  onInsert,
}: {
  readonly onInsert: (name: string) => void;
}) {
  const { ask } = useSession();
  const { data, error, refetch } = useQuery({
    queryKey: ["schema"],
    queryFn: async ({ signal }) =>
      tablesOf(
        (
          await ask<QueryAnswer>("v1/query", {
            body: { sql: SCHEMA_SQL },
            signal,
          })
        ).rows,
      ),
    staleTime: Infinity,
  });
  return (
    <aside className={styles.schema} aria-labelledby="tables">
      <h2 id="tables">Tables</h2>
      {error !== null && (
        <Failure error={error} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading what="the tables" />}
      {data?.length === 0 && (
        <p className={styles.comment}>
          There are none yet: the recorder makes them when it starts.
        </p>
      )}
      {data?.map((table) => (
        <details key={table.name} className={styles.table}>
          <summary>
            <Text>{table.name}</Text>
          </summary>
          <p className={styles.comment}>
            <Text>{table.comment}</Text>
          </p>
          <Name name={table.name} onInsert={onInsert}>
            Insert the name
          </Name>
          <ul>
            {table.columns.map(({ name, type, comment }) => (
              <li key={name}>
                <Name name={name} onInsert={onInsert} />{" "}
                <span className={styles.type}>
                  <Text>{type}</Text>
                </span>
                {comment !== "" && (
                  <p className={styles.comment}>
                    <Text>{comment}</Text>
                  </p>
                )}
              </li>
            ))}
          </ul>
        </details>
      ))}
    </aside>
  );
}

function Name({
  name,
  onInsert,
  children,
}: {
  readonly name: string;
  readonly onInsert: (name: string) => void;
  readonly children?: string;
}) {
  return (
    <button
      type="button"
      className={children === undefined ? styles.name : styles.insert}
      title={`Insert ${name}`}
      onClick={() => onInsert(quotedName(name))}
    >
      {children ?? <Text>{name}</Text>}
    </button>
  );
}

/** As SQL takes it: an operator's own column may have any name. */
function quotedName(name: string): string {
  return /^[a-z_]\w*$/i.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;
}
