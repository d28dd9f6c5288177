/**
 * How a kafkajs group stays a member: two things that kafkajs 2.2.4 does only while it joins, or not at all.
 *
 * - It asks for the group's coordinator only when it joins, and it joins only when a coordinator says so: one that died and
 *   does not come back is sent heartbeats for ever, while another has taken the group over.
 * - A join that ends by an error that is neither of the group's (no answer, a coordinator that loads) is forgotten: the
 *   runner goes on fetching, without a member id not even heartbeats go out, and nothing ever joins again. And two fetches
 *   that both meet a moved leader would join twice at once.
 */

interface CoordinatedGroup<Coordinator = object> {
  coordinator: Coordinator;
  readonly groupId: string;
  readonly offsetManager: { coordinator: Coordinator };
  readonly cluster: {
    findGroupCoordinator(of: { groupId: string }): Promise<Coordinator>;
  };
}

/** Joins under way, and groups of which the last one failed. */
const joining = new WeakMap<object, Promise<void>>();
const unjoined = new WeakSet<object>();
/** Groups whose coordinator is being asked for. */
const seeking = new WeakSet<object>();

/** Joins, or waits for the join that is under way. */
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

/** Throws, after a join that failed, what makes kafkajs' runner join again. */
export function mustBeJoined(group: object): void {
  if (unjoined.has(group))
    throw Object.assign(new Error("the last join did not end"), {
      type: "REBALANCE_IN_PROGRESS",
    });
}

/** Passes on what the request gives; when it went unanswered, the group's coordinator is looked for. */
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

/** Nobody waits for it: it goes on for as long as no broker answers. The members and their generation are the same for every coordinator. */
function seekCoordinator<C>(group: CoordinatedGroup<C>): void {
  if (seeking.has(group)) return;
  seeking.add(group);
  const { groupId, cluster, coordinator: before } = group;
  void cluster
    .findGroupCoordinator({ groupId })
    .then(
      (coordinator) => {
        // A join finds its own, and keeps to it until it has ended.
        if (joining.has(group) || group.coordinator !== before) return;
        group.coordinator = coordinator;
        group.offsetManager.coordinator = coordinator;
      },
      // The next heartbeat that fails asks again.
      () => undefined,
    )
    .finally(() => seeking.delete(group));
}

/** The connection failed, or no answer came; not an answer that says no. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^KafkaJS(Connection|RequestTimeout|BrokerNotFound)/.test(error.name)
  );
}
