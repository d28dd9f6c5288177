import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode, Ref } from "react";
import list from "./list.module.css";
import { Failure, Loading } from "./notices.tsx";

/** A list's frame: what went wrong, that it loads, its rows, or why there are none. After a failure the rows from before stay, dimmed. */
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
  /** `isStale`: the rows are those of an earlier question. */
  readonly children: (data: Data, isStale: boolean) => ReactNode;
}) {
  const { data, error, isPlaceholderData, refetch } = found;
  return (
    <section
      ref={ref}
      className={`${list.list} ${className}`}
      aria-label={label}
      aria-busy={isBusy}
    >
      {error !== null && (
        <Failure error={error} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading what={what} />}
      {data !== undefined &&
        hasRows(data) &&
        children(data, isPlaceholderData || error !== null)}
      {data !== undefined && !hasRows(data) && error === null && nothing(data)}
    </section>
  );
}
