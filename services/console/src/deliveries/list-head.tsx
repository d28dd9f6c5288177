import { Button } from "@mantine/core";
import { useRef } from "react";
import list from "../parts/list.module.css";
import { LiveBar } from "./live-bar.tsx";

/** The title with what can be done about the list as a whole; `children` are between that and the list's own bar. */
export function ListHead({
  isLive,
  isRunning,
  isFetching,
  onLive,
  onGoOn,
  onRefresh,
  children,
}: {
  readonly isLive: boolean;
  readonly isRunning: boolean;
  readonly isFetching: boolean;
  readonly onLive: (isLive: boolean) => void;
  readonly onGoOn: () => void;
  readonly onRefresh: () => void;
  readonly children: React.ReactNode;
}) {
  const liveButton = useRef<HTMLButtonElement>(null);
  return (
    <>
      <div className={list.head}>
        <h1>Deliveries</h1>
        <div className={list.actions}>
          <Button
            ref={liveButton}
            variant={isLive ? "filled" : "default"}
            size="xs"
            aria-pressed={isLive}
            onClick={() => onLive(!isLive)}
          >
            Live
          </Button>
          <Button
            variant="default"
            size="xs"
            loading={isFetching && !isRunning}
            onClick={onRefresh}
          >
            Refresh
          </Button>
        </div>
      </div>
      {children}
      {isLive && (
        <LiveBar
          isStopped={!isRunning}
          onGoOn={() => {
            // The button that was pressed goes.
            liveButton.current?.focus({ preventScroll: true });
            onGoOn();
          }}
        />
      )}
    </>
  );
}
