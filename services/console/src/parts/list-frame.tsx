import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode, Ref } from "react";
import list from "./list.module.css";
import { Failure, Loading } from "./notices.tsx";

/** A list's frame: what went wrong, that it loads, its rows, or why there are none. While other rows are awaited, those from before stay, dimmed; after a failure, too, with when they were read: dimmed for long, they could not be read by everybody. */
export function ListFrame<Data>({
  label,
  what = label.toLowerCase(),
  found,
  isBusy = found.isFetching,
  hasRows,
  nothing,
  className = "",
  ref,
  children,
}: {
  readonly label: string;
  /** What is loaded; default: as the label says. */
  readonly what?: string;
  readonly found: UseQueryResult<Data>;
  readonly isBusy?: boolean;
  readonly hasRows: (data: Data) => boolean;
  readonly nothing: (data: Data) => ReactNode;
  readonly className?: string | undefined;
  readonly ref?: Ref<HTMLElement>;
  readonly children: (data: Data) => ReactNode;
}) {
  const { data, error, isPlaceholderData, dataUpdatedAt, refetch } = found;
  return (
    <section
      ref={ref}
      // Dimmed here and not in the rows, which so need not be made again for it.
      className={`${list.list} ${isPlaceholderData ? list.stale : ""} ${className}`}
      aria-label={label}
      aria-busy={isBusy}
    >
      {error !== null && (
        <Failure
          error={error}
          onRetry={() => void refetch()}
          readAt={dataUpdatedAt}
        />
      )}
      {data === undefined && error === null && <Loading what={what} />}
      {data !== undefined && hasRows(data) && children(data)}
      {data !== undefined && !hasRows(data) && error === null && nothing(data)}
    </section>
  );
}
