import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type {
  AttemptEntry,
  DeliveryPage,
  DeliveryWithTimeline,
} from "../api/answers.ts";
import type { EndpointSettings, TestSend } from "../api/answers-endpoints.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Failure, Loading } from "../parts/notices.tsx";
import { Status } from "../parts/status.tsx";
import { TextBlock } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { lacksAttempts } from "../shown/lacks-attempts.ts";
import { attemptSentence, standingSentence } from "../shown/sentences.ts";
import styles from "./endpoint.module.css";
import { endpointPath } from "./use-endpoint-settings.ts";

const EVERY_MS = 1_000;

/** Sends a test event, and shows what came back. */
export function TestDialog({
  endpoint,
  onClose,
}: {
  readonly endpoint: EndpointSettings;
  readonly onClose: () => void;
}) {
  const { ask } = useSession();
  const [sent, setSent] = useState<TestSend | null>(null);
  if (sent !== null) return <CameBack sent={sent} onClose={onClose} />;
  return (
    <ChangeDialog
      title="Send a test event"
      confirm="Send"
      change={(why) =>
        ask<TestSend>(`v1/${endpointPath(endpoint.id)}/test`, {
          method: "POST",
          why,
        })
      }
      onDone={setSent}
      onClose={onClose}
    >
      <p>
        An event of the type <code>postrider.test</code> goes to the endpoint
        once, signed like any other. A failure counts for its breaker, and a 410
        disables it.
      </p>
    </ChangeDialog>
  );
}

function CameBack({
  sent,
  onClose,
}: {
  readonly sent: TestSend;
  readonly onClose: () => void;
}) {
  const { data, error } = useTest(sent);
  return (
    <Dialog title="The test event" onClose={onClose}>
      {error !== null && <Failure error={error} />}
      {data === undefined && error === null && (
        <Loading what="what came back" />
      )}
      {data !== undefined && <Answer of={data} />}
      <div className={styles.buttons}>
        {data !== undefined && (
          <Link to="/deliveries/$id" params={{ id: sent.deliveryId }}>
            Its delivery
          </Link>
        )}
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

function Answer({ of }: { readonly of: DeliveryWithTimeline }) {
  const attempt = of.timeline.findLast(
    (entry): entry is AttemptEntry => entry.kind === "attempt",
  );
  return (
    <>
      <p role="status">
        <Status status={of.status} />{" "}
        {attempt === undefined
          ? standingSentence(of)
          : attemptSentence(attempt)}
      </p>
      {attempt?.responseBody != null && attempt.responseBody !== "" && (
        <TextBlock text={attempt.responseBody} label="Response body" />
      )}
    </>
  );
}

/** Undefined until it is settled and its attempt is there. It is looked for in the list first: the delivery itself is a 404 until it is recorded. */
function useTest({ deliveryId, eventId }: TestSend) {
  const { ask } = useSession();
  const found = useQuery({
    queryKey: ["test", eventId],
    queryFn: ({ signal }) =>
      ask<DeliveryPage>("v1/deliveries", { query: { eventId }, signal }),
    refetchInterval: ({ state }) => (isSettled(state.data) ? false : EVERY_MS),
  });
  const delivery = useQuery({
    queryKey: ["delivery", deliveryId],
    queryFn: ({ signal }) =>
      ask<DeliveryWithTimeline>(
        `v1/deliveries/${encodeURIComponent(deliveryId)}`,
        { signal },
      ),
    enabled: isSettled(found.data),
    refetchInterval: ({ state }) => (isComplete(state.data) ? false : EVERY_MS),
  });
  return {
    data: isComplete(delivery.data) ? delivery.data : undefined,
    error: found.error ?? delivery.error,
  };
}

function isComplete(delivery: DeliveryWithTimeline | undefined): boolean {
  return delivery !== undefined && !lacksAttempts(delivery);
}

function isSettled(page: DeliveryPage | undefined): boolean {
  const status = page?.deliveries[0]?.status;
  return status === "delivered" || status === "expired";
}
