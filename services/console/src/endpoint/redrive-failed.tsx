import { NativeSelect } from "@mantine/core";
import { useState } from "react";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import type { Replay } from "../api/answers-replays.ts";
import { Text } from "../parts/text.tsx";
import { LeftOutList } from "../replay/left-out-list.tsx";
import { RedriveDialog } from "../replay/redrive-dialog.tsx";
import { isOver, useReplay } from "../replay/use-replay.ts";
import { counted } from "../shown/amounts.ts";
import styles from "./endpoint.module.css";

const SINCE = [
  { value: "1h", label: "in the last hour" },
  { value: "6h", label: "in the last 6 hours" },
  { value: "1d", label: "in the last day" },
  { value: "7d", label: "in the last 7 days" },
  { value: "29d", label: "in the last 29 days" },
];

/** Sends again what was given up lately. */
export function RedriveFailed({
  endpoint,
  onClose,
  onMade,
}: {
  readonly endpoint: EndpointSettings;
  readonly onClose: () => void;
  readonly onMade: (replay: Replay) => void;
}) {
  const [deadSince, setDeadSince] = useState("1d");
  const { id: endpointId, tenantId } = endpoint;
  return (
    <RedriveDialog
      title="Redrive what failed"
      selection={{
        endpointId,
        tenantId,
        statuses: ["expired"],
        deadSince,
      }}
      onClose={onClose}
      onMade={onMade}
    >
      <NativeSelect
        label="Given up"
        data={SINCE}
        value={deadSince}
        onChange={(event) => setDeadSince(event.currentTarget.value)}
      />
    </RedriveDialog>
  );
}

const ENDS: Readonly<Record<string, string>> = {
  done: "Done",
  cancelled: "Cancelled",
};

/** How far it is. */
export function Redriven({ id }: { readonly id: string }) {
  const { data: replay } = useReplay(id);
  if (replay === undefined) return <p role="status">Sending again…</p>;
  const { total, done, sent, leftOut, detail, state } = replay;
  const left = Object.values(leftOut).reduce((sum, each) => sum + each, 0);
  return (
    <div className={styles.redriven} role="status">
      <p>
        {ENDS[state] ?? "Sending again"}: {sent.toLocaleString("en")} of{" "}
        {counted(total, "delivery", "deliveries")} sent
        {left > 0 && `, ${left.toLocaleString("en")} left out`}.
        {detail !== null && (
          <>
            {" "}
            <Text>{detail}</Text>
          </>
        )}
      </p>
      {!isOver(replay) && (
        <progress
          aria-label="Deliveries that were looked at"
          value={done}
          max={Math.max(total, 1)}
        />
      )}
      {left > 0 && <LeftOutList leftOut={leftOut} />}
    </div>
  );
}
