import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { EndpointSettings, Resume } from "../api/answers-endpoints.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { resumeSentence } from "../shown/endpoint-sentences.ts";
import styles from "./endpoint.module.css";
import { StateDialog } from "./state-dialog.tsx";
import { endpointPath } from "./use-endpoint-settings.ts";
import { useWaiting } from "./use-waiting.ts";

/** By its state; others end there. */
const EVERY_MS: Readonly<Record<string, number>> = {
  running: 1_000,
  parked: 10_000,
};

/** How far the sending of what is parked is. Nothing where nothing is parked, and nothing was while this was open. */
export function ResumeProgress({
  endpoint,
}: {
  readonly endpoint: EndpointSettings;
}) {
  const { ask, caller } = useSession();
  const client = useQueryClient();
  const { id, state } = endpoint;
  const [asked, setAsked] = useState<"cancel" | "resume" | null>(null);
  const key = ["resume", id];
  const { data: waiting } = useWaiting(endpoint);
  // An endpoint that was never paused has no resume: it is not asked for one.
  const hasParked =
    state === "paused" || waiting?.some(({ reason }) => reason === "paused");
  const { data: resume } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      ask<Resume>(`v1/${endpointPath(id)}/resume`, { signal }),
    enabled: ({ state: { data } }) => hasParked === true || data !== undefined,
    refetchInterval: (query) =>
      EVERY_MS[query.state.data?.state ?? "parked"] ?? false,
  });
  if (resume === undefined || resume.state === "parked") return null;

  const close = (): void => setAsked(null);
  const isRunning = resume.state === "running";
  const canGoOn = resume.state === "cancelled" && state === "enabled";
  const { read, total, detail } = resume;
  return (
    <div className={styles.progress}>
      {isRunning && (
        <progress
          aria-label="Dead letters that were read"
          value={read}
          max={Math.max(total, 1)}
        />
      )}
      <span role="status">
        {resumeSentence(resume)}
        {detail !== null && (
          <>
            {" "}
            <Text>{detail}</Text>
          </>
        )}
      </span>
      {caller.role === "admin" && (isRunning || canGoOn) && (
        <Button
          variant="default"
          size="xs"
          onClick={() => setAsked(isRunning ? "cancel" : "resume")}
        >
          {isRunning ? "Stop…" : "Send the rest…"}
        </Button>
      )}
      {asked === "resume" && (
        <StateDialog endpoint={endpoint} change="resume" onClose={close} />
      )}
      {asked === "cancel" && (
        <ChangeDialog
          title="Stop the resume"
          confirm="Stop it"
          change={(why) =>
            ask<Resume>(`v1/${endpointPath(id)}/resume`, {
              method: "DELETE",
              why,
            })
          }
          onDone={(answer) => {
            client.setQueryData(key, answer);
            close();
          }}
          onClose={close}
        >
          <p>
            The endpoint stays enabled. What was not sent yet stays parked until
            a resume sends it.
          </p>
        </ChangeDialog>
      )}
    </div>
  );
}
