import { useQuery } from "@tanstack/react-query";
import type { EventPayload } from "../api/answers.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Failure, Loading } from "../parts/notices.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { shownBytes } from "../shown/amounts.ts";
import { curlOf } from "../shown/curl.ts";
import { Body } from "../parts/body.tsx";
import styles from "../parts/card.module.css";
import { HeaderTable } from "../parts/header-table.tsx";
import type { FoundEndpoint } from "./use-endpoint.ts";

/** What was published; with an endpoint also its request as a command. */
export function Payload({
  eventId,
  tenantId,
  endpoint,
}: {
  readonly eventId: string;
  /** Undefined: the event's tenant is not known. */
  readonly tenantId: string | undefined;
  readonly endpoint?: FoundEndpoint;
}) {
  const { ask } = useSession();
  const { data, error, refetch } = useQuery({
    queryKey: ["payload", tenantId, eventId],
    queryFn: ({ signal }) =>
      ask<EventPayload>(`v1/events/${encodeURIComponent(eventId)}/payload`, {
        query: { tenantId },
        signal,
      }),
    staleTime: Infinity,
  });
  return (
    <section className={styles.card} aria-labelledby="payload">
      <h2 id="payload">Event payload</h2>
      {error !== null && (
        <Failure error={error} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading what="the payload" />}
      {data !== undefined && <Known payload={data} endpoint={endpoint} />}
    </section>
  );
}

function Known({
  payload,
  endpoint,
}: {
  readonly payload: EventPayload;
  readonly endpoint: FoundEndpoint | undefined;
}) {
  const curl = commandOf(payload, endpoint);
  return (
    <>
      <p className={styles.note}>
        <Text>{payload.contentType}</Text>, {shownBytes(payload.payloadBytes)}
        {payload.encoding === "base64" && ", as base64: it is no text"}
      </p>
      {payload.payload === null ? (
        <p className={styles.note}>
          Payloads are not recorded here (POSTRIDER_RECORD_PAYLOADS).
        </p>
      ) : (
        <Body text={payload.payload} label="Event payload" />
      )}
      <HeaderTable headers={payload.headers} title="Headers of the event" />
      {curl !== null && (
        <div className={styles.curl}>
          <CopyButton text={curl}>Copy as curl</CopyButton>
          <p className={styles.note}>
            Without the signature and Postrider&apos;s own headers: a receiver
            that checks them refuses it. Values of secret headers are{" "}
            <code>[redacted]</code>.
          </p>
        </div>
      )}
    </>
  );
}

/** The endpoint's headers win over the event's, as in the request itself. Null: the address or the payload is not known. */
function commandOf(
  { payload, encoding, contentType, headers }: EventPayload,
  found: FoundEndpoint | undefined,
): string | null {
  if (payload === null || found?.kind !== "known") return null;
  const { method, url, headers: own } = found.endpoint;
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const ofEvent = Object.entries(headers).filter(
    ([name]) => !names.has(name.toLowerCase()),
  );
  return curlOf({
    method,
    url,
    headers: {
      "content-type": contentType,
      ...Object.fromEntries(ofEvent),
      ...own,
    },
    body: payload,
    encoding,
  });
}
