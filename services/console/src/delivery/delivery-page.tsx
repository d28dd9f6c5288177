import { useQuery } from "@tanstack/react-query";
import {
  getRouteApi,
  Link,
  useLocation,
  useRouter,
} from "@tanstack/react-router";
import type { DeliveryWithTimeline } from "../api/answers.ts";
import { Failure, Loading } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Payload } from "../payload/payload.tsx";
import { Status } from "../parts/status.tsx";
import { Text } from "../parts/text.tsx";
import { useEndpoint } from "../payload/use-endpoint.ts";
import { useSession } from "../session/session-context.ts";
import { lacksAttempts } from "../shown/lacks-attempts.ts";
import { standingSentence } from "../shown/sentences.ts";
import styles from "./delivery.module.css";
import { Facts } from "./facts.tsx";
import { Redrive } from "./redrive.tsx";
import { Timeline } from "./timeline.tsx";

const route = getRouteApi("/deliveries/$id");

/** What is open changes by itself; what is settled changes by a redrive only. */
const OPEN_EVERY_MS = 5_000;

/** One delivery: how it stands, what happened to it, and what can be done. */
export function DeliveryPage() {
  const { id } = route.useParams();
  usePageTitle(`Delivery ${id}`);
  const { ask } = useSession();
  const found = useQuery({
    queryKey: ["delivery", id],
    queryFn: ({ signal }) =>
      ask<DeliveryWithTimeline>(`v1/deliveries/${encodeURIComponent(id)}`, {
        signal,
      }),
    refetchInterval: ({ state: { data: known } }) =>
      known !== undefined && (isOpen(known.status) || lacksAttempts(known))
        ? OPEN_EVERY_MS
        : false,
  });
  const { data, error, dataUpdatedAt, refetch } = found;
  return (
    <>
      <p className={styles.back}>
        <Back />
      </p>
      {error !== null && (
        <Failure
          error={error}
          onRetry={() => void refetch()}
          readAt={dataUpdatedAt}
        />
      )}
      {data === undefined && error === null && <Loading what="the delivery" />}
      {data !== undefined && <Shown key={data.id} delivery={data} />}
    </>
  );
}

/** Where one came from a list, to that as it was, with its filters. */
function Back() {
  const { history } = useRouter();
  const isFromList = useLocation({
    select: ({ state }) => state.isFromList === true,
  });
  return (
    <Link
      to="/deliveries"
      onClick={(event) => {
        if (!isFromList || event.ctrlKey || event.metaKey || event.shiftKey)
          return;
        event.preventDefault();
        history.back();
      }}
    >
      {isFromList ? "Back" : "All deliveries"}
    </Link>
  );
}

function isOpen(status: string): boolean {
  return status === "pending" || status === "failed";
}

function Shown({ delivery }: { readonly delivery: DeliveryWithTimeline }) {
  const endpoint = useEndpoint(delivery.endpointId);
  return (
    <>
      <header className={styles.head}>
        <div>
          <h1>
            <Text>{delivery.eventType}</Text>{" "}
            <Status status={delivery.status} />
          </h1>
          <p className={styles.standing}>{standingSentence(delivery)}</p>
        </div>
        <Redrive delivery={delivery} />
      </header>
      <div className={styles.columns}>
        <section aria-labelledby="timeline">
          <h2 id="timeline">What happened</h2>
          <Timeline delivery={delivery} />
        </section>
        <div className={styles.side}>
          <Facts delivery={delivery} endpoint={endpoint} />
          <Payload
            eventId={delivery.eventId}
            tenantId={delivery.tenantId}
            endpoint={endpoint}
          />
        </div>
      </div>
    </>
  );
}
