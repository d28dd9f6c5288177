import type { UseQueryResult } from "@tanstack/react-query";
import { useId } from "react";
import { Failure, Loading } from "../parts/notices.tsx";
import styles from "./overview.module.css";

/** A part of the page that loads, fails and is asked again for itself. What it showed before stays until there is something newer. */
export function Panel<T>({
  title,
  found,
  children,
}: {
  readonly title: string;
  readonly found: UseQueryResult<T>;
  readonly children: (data: T) => React.ReactNode;
}) {
  const titleId = useId();
  const { data, error, isFetching, isPlaceholderData, dataUpdatedAt, refetch } =
    found;
  return (
    <section
      className={styles.panel}
      aria-labelledby={titleId}
      aria-busy={isFetching}
    >
      <h2 id={titleId}>{title}</h2>
      {error !== null && (
        <Failure
          error={error}
          onRetry={() => void refetch()}
          readAt={dataUpdatedAt}
        />
      )}
      {data === undefined && error === null && (
        <Loading what={title.toLowerCase()} />
      )}
      {data !== undefined && (
        <div className={isPlaceholderData ? styles.stale : undefined}>
          {children(data)}
        </div>
      )}
    </section>
  );
}

/** A panel has nothing to show, in a few words. */
export function None({ children }: { readonly children: React.ReactNode }) {
  return <p className={styles.none}>{children}</p>;
}
