import { getRouteApi, Link } from "@tanstack/react-router";
import type { Replay } from "../api/answers-replays.ts";
import { Facts, type Fact } from "../parts/facts.tsx";
import { Failure, Loading } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Status } from "../parts/status.tsx";
import { Text, TextBlock } from "../parts/text.tsx";
import { ExactTime, Time } from "../parts/time.tsx";
import { useReplay } from "../replay/use-replay.ts";
import { selectionSentence } from "../shown/selection-sentence.ts";
import { ReplayActions } from "./replay-actions.tsx";
import { ReplayProgress } from "./replay-progress.tsx";
import styles from "./replays.module.css";

const route = getRouteApi("/replays/$id");

/** One replay: what it selects, how far it is, and what can be done. */
export function ReplayPage() {
  const { id } = route.useParams();
  usePageTitle(`Replay ${id}`);
  const { data, error, dataUpdatedAt, refetch } = useReplay(id);
  return (
    <>
      <p className={styles.back}>
        <Link to="/replays">All replays</Link>
      </p>
      {error !== null && (
        <Failure
          error={error}
          onRetry={() => void refetch()}
          readAt={dataUpdatedAt}
        />
      )}
      {data === undefined && error === null && <Loading what="the replay" />}
      {data !== undefined && (
        <Shown key={data.id} replay={data} answeredAt={dataUpdatedAt} />
      )}
    </>
  );
}

function Shown({
  replay,
  answeredAt,
}: {
  readonly replay: Replay;
  readonly answeredAt: number;
}) {
  return (
    <>
      <header className={styles.head}>
        <div>
          <h1>
            {replay.kind === "backfill" ? "Backfill" : "Replay"}{" "}
            <Status status={replay.state} />
          </h1>
          <p className={styles.standing}>
            <Text>{replay.why || "No reason was given."}</Text>
          </p>
        </div>
        <ReplayActions replay={replay} />
      </header>
      <div className={styles.columns}>
        <ReplayProgress replay={replay} answeredAt={answeredAt} />
        <Selected replay={replay} />
      </div>
    </>
  );
}

function Selected({ replay }: { readonly replay: Replay }) {
  const { selection, tenantId, finishedAt } = replay;
  const facts: readonly Fact[] = [
    ["Replay", <Text key="id">{replay.id}</Text>],
    ["By key", <Text key="by">{replay.createdBy}</Text>],
    ["Tenant", <Text key="tenant">{tenantId ?? "all"}</Text>],
    ["Made", <Time key="made" at={replay.createdAt} />],
    ["Selected", <ExactTime key="selected" at={replay.selectedAt} />],
    ["Ended", finishedAt === null ? "not yet" : <Time at={finishedAt} />],
    ["At most", `${replay.ratePerSecond} a second`],
  ];
  return (
    <section className={styles.card} aria-labelledby="selected">
      <h2 id="selected">What it selects</h2>
      <p>
        <Text>{selectionSentence(replay)}</Text>
      </p>
      {selection.sql !== null && (
        <TextBlock text={selection.sql} label="The SELECT" />
      )}
      <Facts facts={facts} />
    </section>
  );
}
