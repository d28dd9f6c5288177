/**
 * Mends two defects of kafkajs 2.2.4 that keep a group from joining again:
 *
 * - kafkajs asks for the group's coordinator only when it joins, and joins only when a coordinator tells it to. If a coordinator
 *   dies and does not come back, kafkajs sends it heartbeats for ever, although another broker has taken over the group. So
 *   after a request without an answer we look for the coordinator (`orSeek`).
 * - If a join fails with an error that kafkajs does not expect (no answer; a coordinator that is still loading), kafkajs forgets
 *   the join. It goes on fetching, sends no heartbeats because it has no member id, and never joins again. So we note failed
 *   joins and make the next fetch join (`mustBeJoined`).
 *
 * Two fetches that both meet a moved leader would also join twice at the same time (`joinOnce`).
 */

interface CoordinatedGroup<Coordinator = object> {
  coordinator: Coordinator;
  readonly groupId: string;
  readonly offsetManager: { coordinator: Coordinator };
  readonly cluster: {
    findGroupCoordinator(of: { groupId: string }): Promise<Coordinator>;
  };
}

/** Joins that are running, by group; and groups whose last join failed. */
const joining = new WeakMap<object, Promise<void>>();
const unjoined = new WeakSet<object>();
/** Groups whose coordinator is being looked for. */
const seeking = new WeakSet<object>();

/** Joins, or waits for the join that is already running. */
export function joinOnce(
  group: object,
  join: () => Promise<void>,
): Promise<void> {
  const known = joining.get(group);
  if (known !== undefined) return known;
  const joined = join()
    .then(
      () => void unjoined.delete(group),
      (error: unknown) => {
        unjoined.add(group);
        throw error;
      },
    )
    .finally(() => joining.delete(group));
  joining.set(group, joined);
  return joined;
}

/** If the last join failed, throws the error that makes kafkajs' runner join again. */
export function mustBeJoined(group: object): void {
  if (unjoined.has(group))
    throw Object.assign(new Error("the last join did not end"), {
      type: "REBALANCE_IN_PROGRESS",
    });
}

/** Returns the request's result. If the request got no answer, also begins to look for the group's coordinator. */
export async function orSeek<T, C>(
  group: CoordinatedGroup<C>,
  request: Promise<T>,
): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (isUnanswered(error)) seekCoordinator(group);
    throw error;
  }
}

/** Looks for the coordinator in the background, for as long as no broker answers. Member id and generation stay valid: a new coordinator takes over the group's state. */
function seekCoordinator<C>(group: CoordinatedGroup<C>): void {
  if (seeking.has(group)) return;
  seeking.add(group);
  const { groupId, cluster, coordinator: before } = group;
  void cluster
    .findGroupCoordinator({ groupId })
    .then(
      (coordinator) => {
        // A join that is running has looked up a coordinator itself: do not replace it.
        if (joining.has(group) || group.coordinator !== before) return;
        group.coordinator = coordinator;
        group.offsetManager.coordinator = coordinator;
      },
      // The next heartbeat that fails looks again.
      () => undefined,
    )
    .finally(() => seeking.delete(group));
}

/** The connection failed, or no answer came. An answer with an error does not count. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^KafkaJS(Connection|RequestTimeout|BrokerNotFound)/.test(error.name)
  );
}
