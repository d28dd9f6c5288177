/**
 * What becomes of an endpoint's parked deliveries when the endpoint changes. Pure.
 *
 *   ──paused──▶ parked ──enabled──▶ running ──▶ done ──paused──▶ parked
 *                 ▲                    │
 *                 │                    ├─ cancelled by hand ─┐
 *                 │                    └─ paused, disabled ──┴─▶ cancelled, ended ──enabled, resumed──▶ running
 *
 * Invariant: a place's position only goes up, and below it every parked delivery was sent again. So the next resume goes on
 * where the last one stopped, and never sends again what an earlier one sent.
 */
import {
  counted,
  type Endpoint,
  type EpochMs,
  type Resume,
  type ResumePlace,
} from "@postrider/core";
import type { LogRange } from "@postrider/messaging";

/** The partitions of `dead-letters` as they are now, and which of them takes a key's records among so many. */
export interface DeadLetterLog {
  /** In any order. */
  readonly ranges: readonly LogRange[];
  readonly partitionOf: (endpointId: string, partitions: number) => number;
  /** Whether every dispatcher knows this number of partitions by now. One that counted fewer parks in the partition of its own count. */
  readonly isCountKnown: boolean;
}

/**
 * The endpoint is being paused. `log` was read before the write, so nothing that this pause parks is below its ends. Where an
 * earlier resume has left something, its places are kept; otherwise they begin at the ends: the endpoint's partition, and while
 * a dispatcher may still count fewer, every partition, because the earlier count is known to nobody.
 */
export function parked(
  endpoint: Pick<Endpoint, "id" | "tenantId">,
  stored: Resume | undefined,
  log: DeadLetterLog,
  now: EpochMs,
): Resume {
  if (stored?.state === "running")
    return finished(stored, "ended", "the endpoint was paused again", now);
  if (stored !== undefined && stored.state !== "done") return stored;
  const partitions = log.ranges.length;
  const own = log.partitionOf(endpoint.id, partitions);
  const places = log.ranges
    .filter(({ partition }) => partition === own || !log.isCountKnown)
    .map(({ partition, end }) => ({ partition, from: end, position: end, end }))
    .sort((a, b) => a.partition - b.partition);
  return {
    endpointId: endpoint.id,
    tenantId: endpoint.tenantId,
    id: "",
    state: "parked",
    detail: "",
    endpointVersion: 0,
    partitions,
    places,
    sent: 0,
    skipped: 0,
    unreadable: 0,
    lost: 0,
    pausedAt: now,
    startedAt: null,
    finishedAt: null,
  };
}

/** A resume begins where the last one stopped. */
export function started(
  stored: Resume,
  of: {
    readonly id: string;
    readonly endpointVersion: number;
    readonly now: EpochMs;
  },
): Resume {
  return {
    ...stored,
    id: of.id,
    state: "running",
    detail: "",
    endpointVersion: of.endpointVersion,
    places: stored.places.map((place) => ({ ...place, from: place.position })),
    sent: 0,
    skipped: 0,
    unreadable: 0,
    lost: 0,
    startedAt: of.now,
    finishedAt: null,
  };
}

/**
 * The resume with the log's ends as they are now. Where `dead-letters` has got more partitions, the endpoint's dead letters may
 * be in others from then on, which are read from their start. What the log no longer holds below its start counts as lost.
 */
export function reachingTo(resume: Resume, log: DeadLetterLog): Resume {
  const partitions = Math.max(resume.partitions, log.ranges.length);
  const known = new Set(resume.places.map(({ partition }) => partition));
  const added: ResumePlace[] = [];
  for (let count = resume.partitions + 1; count <= partitions; count++) {
    const partition = log.partitionOf(resume.endpointId, count);
    if (known.has(partition)) continue;
    known.add(partition);
    const start = log.ranges.find((one) => one.partition === partition)?.start;
    const from = start ?? 0;
    added.push({ partition, from, position: from, end: from });
  }
  let { lost } = resume;
  const places = [...resume.places, ...added].map((place) => {
    const range = log.ranges.find((one) => one.partition === place.partition);
    if (range === undefined) return place;
    const position = Math.max(place.position, range.start);
    lost += position - place.position;
    return { ...place, position, end: Math.max(place.end, range.end) };
  });
  return { ...resume, partitions, places, lost };
}

/** What a run has read and sent since its last checkpoint. */
export interface Progress {
  /** The resume that the run works off. */
  readonly id: string;
  readonly partition: number;
  readonly position: number;
  /** The log's end up to which it reads. */
  readonly end: number;
  readonly sent: number;
  readonly skipped: number;
  readonly unreadable: number;
}

/** `stored` with the progress. It may have been cancelled or ended meanwhile, or another resume may have begun: what was sent was sent. */
export function advanced(stored: Resume, progress: Progress): Resume {
  const places = stored.places.map((place) =>
    place.partition === progress.partition
      ? {
          ...place,
          position: Math.max(place.position, progress.position),
          end: Math.max(place.end, progress.end),
        }
      : place,
  );
  return stored.id === progress.id
    ? {
        ...stored,
        places,
        sent: stored.sent + progress.sent,
        skipped: stored.skipped + progress.skipped,
        unreadable: stored.unreadable + progress.unreadable,
      }
    : { ...stored, places };
}

export function finished(
  stored: Resume,
  state: "done" | "cancelled" | "ended",
  detail: string,
  now: EpochMs,
): Resume {
  return { ...stored, state, detail, finishedAt: now };
}

/**
 * What a change of the endpoint makes of its resume: a new value, `stored` itself where nothing changes, or null where it
 * goes with its endpoint. `log` is asked for only where it is needed.
 */
export async function resumeAfter(change: {
  readonly before: Endpoint;
  readonly after: Endpoint | null;
  readonly stored: Resume | undefined;
  readonly log: () => Promise<DeadLetterLog>;
  readonly newId: () => string;
  readonly now: EpochMs;
}): Promise<Resume | null | undefined> {
  const { before, after, stored, now } = change;
  if (after === null) return null;
  if (after.state === before.state) return stored;
  if (after.state === "paused")
    return parked(after, stored, await change.log(), now);
  if (stored === undefined) return undefined;
  if (after.state === "disabled")
    return stored.state === "running"
      ? finished(
          stored,
          "ended",
          `the endpoint was disabled: ${after.stateReason ?? "by hand"}`,
          now,
        )
      : stored;
  return hasRest(stored)
    ? started(stored, {
        id: change.newId(),
        endpointVersion: after.version,
        now,
      })
    : stored;
}

/** What a resume could not send, for people; empty if it has sent everything. */
export function unsentOf({ lost, unreadable }: Resume): string {
  return [
    ...(lost > 0
      ? [
          `${counted(lost, "offset")} of dead-letters could not be read: deleted by its retention`,
        ]
      : []),
    ...(unreadable > 0
      ? [`${counted(unreadable, "dead letter")} could not be read: see the log`]
      : []),
  ].join("; ");
}

/** Whether parked deliveries may be left that no resume is working on. */
export function hasRest({ state }: Resume): boolean {
  return state === "parked" || state === "cancelled" || state === "ended";
}
