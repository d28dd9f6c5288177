import { getRouteApi, Link } from "@tanstack/react-router";
import { isNotFound } from "../api/api-problem.ts";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { Failure, Loading } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Status } from "../parts/status.tsx";
import { Text } from "../parts/text.tsx";
import { stateSentence } from "../shown/endpoint-sentences.ts";
import { Actions } from "./actions.tsx";
import { Configuration } from "./configuration.tsx";
import styles from "./endpoint.module.css";
import { Failures } from "./failures.tsx";
import { ResumeProgress } from "./resume-progress.tsx";
import { Secrets } from "./secrets.tsx";
import { Standing } from "./standing.tsx";
import { useEndpointSettings } from "./use-endpoint-settings.ts";

const route = getRouteApi("/endpoints/$id");

/** One endpoint: how it does, how it is set, and what can be done. */
export function EndpointPage() {
  const { id } = route.useParams();
  usePageTitle(`Endpoint ${id}`);
  const { data, error, dataUpdatedAt, refetch } = useEndpointSettings(id);
  // It may have been deleted since it was read.
  const endpoint = isNotFound(error) ? undefined : data;
  return (
    <>
      <p className={styles.back}>
        <Link to="/endpoints">All endpoints</Link>
      </p>
      {error !== null && (
        <Failure
          error={error}
          onRetry={() => void refetch()}
          readAt={dataUpdatedAt}
        />
      )}
      {data === undefined && error === null && <Loading what="the endpoint" />}
      {endpoint !== undefined && (
        <Shown key={endpoint.id} endpoint={endpoint} />
      )}
    </>
  );
}

function Shown({ endpoint }: { readonly endpoint: EndpointSettings }) {
  const { url, state, stateReason, description } = endpoint;
  return (
    <>
      <header className={styles.head}>
        <h1>
          <Text>{url}</Text> <Status status={state} />
        </h1>
        {description !== "" && (
          <p>
            <Text>{description}</Text>
          </p>
        )}
        <p className={styles.quiet}>
          {stateSentence(state)}
          {stateReason !== null && (
            <>
              {" "}
              Why: <Text>{stateReason}</Text>
            </>
          )}
        </p>
        <ResumeProgress endpoint={endpoint} />
      </header>
      <Actions endpoint={endpoint} />
      <div className={styles.columns}>
        <div className={styles.side}>
          <Standing endpoint={endpoint} />
          <Failures endpoint={endpoint} />
        </div>
        <div className={styles.side}>
          <Configuration endpoint={endpoint} />
          <Secrets endpoint={endpoint} />
        </div>
      </div>
    </>
  );
}
