/**
 * Notes when a group sends SyncGroup, the last request of a join. The broker counts a member's session anew from there, and
 * kafkajs tells of the join only when the answer has come (docs/kafkajs.md, "A heartbeat is reported late").
 */

type Sync = (this: object) => Promise<void>;

const begun = new WeakMap<object, number>();

/** Patches the class ConsumerGroup of kafkajs 2.2.4. Call once. */
export function registerSyncTimes(groupClass: { prototype: object }): void {
  const { prototype } = groupClass;
  const symbol = Object.getOwnPropertySymbols(prototype).find(
    ({ description }) => description === "private:ConsumerGroup:sync",
  );
  if (symbol === undefined)
    throw new Error("kafkajs' ConsumerGroup has no sync: expected 2.2.4");
  // The symbol is that of kafkajs' own method: its description was checked above.
  const group = prototype as Record<symbol, Sync>;
  const sync = group[symbol]!;
  group[symbol] = function () {
    begun.set(this, performance.now());
    return sync.call(this);
  };
}

/** The group's last SyncGroup was sent at this time (monotonic ms) or later: the leader first computes the assignment. */
export function syncBegunAt(group: object): number {
  const at = begun.get(group);
  if (at === undefined) throw new Error("The group has not joined yet.");
  return at;
}
