import type { System } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Failure, Loading } from "../parts/notices.tsx";
import { Time } from "../parts/time.tsx";
import { useSession } from "../session/session-context.ts";
import { ForOperators } from "./for-operators.tsx";
import { SystemProblemNote } from "./system-problem.tsx";
import { useSystem } from "./use-system.ts";
import styles from "./system.module.css";

/** A part of what Kafka tells, for operators: it loads, fails, and says what is not known. */
export function AskedSystem({
  label,
  what,
  children,
}: {
  readonly label: string;
  /** As in "Loading …". */
  readonly what: string;
  readonly children: (system: System) => React.ReactNode;
}) {
  const { caller } = useSession();
  const { data, error, isFetching, dataUpdatedAt, refetch } = useSystem();
  const isOperator = caller.tenantId === null;
  return (
    <section
      className={styles.section}
      aria-label={label}
      aria-busy={isFetching}
    >
      <div className={list.list}>
        {!isOperator && <ForOperators what={`${label} concern`} />}
        {error !== null && (
          <Failure
            error={error}
            onRetry={() => void refetch()}
            readAt={dataUpdatedAt}
          />
        )}
        {isOperator && data === undefined && error === null && (
          <Loading what={what} />
        )}
        {data !== undefined && children(data)}
      </div>
      {data !== undefined && (
        <>
          <SystemProblemNote of={data.problem} />
          <p className={styles.note}>
            As Kafka told it <Time at={data.askedAt} />, asked every five
            seconds.
          </p>
        </>
      )}
    </section>
  );
}
