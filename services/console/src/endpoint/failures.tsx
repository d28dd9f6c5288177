import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { DeliveryPage } from "../api/answers.ts";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { DeliveryTable } from "../deliveries/delivery-table.tsx";
import card from "../parts/card.module.css";
import { Failure, Loading } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import styles from "./endpoint.module.css";

const ROWS = 5;
const EVERY_MS = 10_000;

/** The deliveries that failed last, with the way to all of them. */
export function Failures({
  endpoint,
}: {
  readonly endpoint: EndpointSettings;
}) {
  const { ask } = useSession();
  const { id: endpointId, tenantId } = endpoint;
  const status = "failed,expired";
  const { data, error, dataUpdatedAt } = useQuery({
    queryKey: ["failures", endpointId],
    queryFn: ({ signal }) =>
      ask<DeliveryPage>("v1/deliveries", {
        query: { endpointId, tenantId, status, limit: String(ROWS) },
        signal,
      }),
    refetchInterval: EVERY_MS,
  });
  return (
    <section
      className={`${card.card} ${styles.flush}`}
      aria-labelledby="failures"
    >
      <h2 id="failures">Last failures</h2>
      {error !== null && <Failure error={error} readAt={dataUpdatedAt} />}
      {data === undefined && error === null && <Loading what="deliveries" />}
      {data?.deliveries.length === 0 && (
        <p className={styles.quiet}>
          {data.nextCursor === null ? "None." : "None lately."}
        </p>
      )}
      {data !== undefined && data.deliveries.length > 0 && (
        <DeliveryTable
          ref={null}
          deliveries={data.deliveries}
          isOfAllTenants={false}
          isOfOneEndpoint
        />
      )}
      <p>
        <Link to="/deliveries" search={{ endpointId, status }}>
          All that failed
        </Link>
        {" · "}
        <Link to="/deliveries" search={{ endpointId }}>
          All deliveries
        </Link>
      </p>
    </section>
  );
}
