/**
 * Which member of a group gets which partition. The shares differ by one partition at most, and as few partitions move as this
 * allows. A member that is leaving gets nothing new: it would not serve it, and would hold it until it has left. Pure.
 */
import type { TopicPartition } from "../ports.ts";

/** A member as it presents itself when it joins. */
export interface GroupMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** The partitions that it was assigned last. */
  readonly owned: readonly TopicPartition[];
  /** The group's generation of that assignment; -1 if there was none. If two members claim one partition, the one with the later generation keeps it. */
  readonly generation: number;
  readonly isLeaving: boolean;
}

interface Share {
  readonly member: GroupMember;
  readonly topics: ReadonlySet<string>;
  partitions: TopicPartition[];
}

/** Assigns every partition to one member that subscribes to its topic. Members that get no partition are in the map, too. */
export function assignSticky(
  partitions: readonly TopicPartition[],
  members: readonly GroupMember[],
): Map<string, TopicPartition[]> {
  const shares = members
    .map((member): Share => ({
      member,
      topics: new Set(member.topics),
      partitions: [],
    }))
    .toSorted((a, b) => compareText(a.member.memberId, b.member.memberId));
  const staying = shares.filter(({ member }) => !member.isLeaving);
  const free = keepOwned(partitions, shares);
  const isEqual = shares.every((share) =>
    isSameSet(share.topics, shares[0]!.topics),
  );
  if (isEqual) free.push(...shed(partitions, shares, staying));
  for (const partition of free)
    if (!giveTo(staying, partition)) giveTo(shares, partition);
  if (!isEqual) level(shares, staying);
  return new Map(
    shares.map((share) => [share.member.memberId, share.partitions]),
  );
}

/** Gives every member the partitions that it owned and may keep. Returns the others. */
function keepOwned(
  partitions: readonly TopicPartition[],
  shares: readonly Share[],
): TopicPartition[] {
  const claims = new Map<string, Share>();
  for (const share of shares)
    for (const owned of share.member.owned) {
      const rival = claims.get(keyOf(owned));
      const isLater =
        rival === undefined ||
        rival.member.generation < share.member.generation;
      if (share.topics.has(owned.topic) && isLater)
        claims.set(keyOf(owned), share);
    }
  const free: TopicPartition[] = [];
  for (const partition of partitions) {
    const claim = claims.get(keyOf(partition));
    if (claim === undefined) free.push(partition);
    else claim.partitions.push(partition);
  }
  return free;
}

/**
 * With equal subscriptions the final size of each share is known: at most an even one for a member that is leaving, an even one of
 * the rest for the others. The members that hold most get the larger sizes. Partitions above a member's size are taken from it and
 * returned.
 */
function shed(
  partitions: readonly TopicPartition[],
  shares: readonly Share[],
  staying: readonly Share[],
): TopicPartition[] {
  if (staying.length === 0) return [];
  let left = partitions.filter((p) => shares[0]!.topics.has(p.topic)).length;
  const even = Math.ceil(left / shares.length);
  const freed: TopicPartition[] = [];
  const shrink = (share: Share, size: number): void => {
    while (share.partitions.length > size) freed.push(shedOne(share));
  };
  for (const share of shares)
    if (share.member.isLeaving) {
      shrink(share, even);
      left -= share.partitions.length;
    }
  const floor = Math.floor(left / staying.length);
  let larger = left % staying.length;
  for (const share of staying.toSorted(
    (a, b) => b.partitions.length - a.partitions.length,
  )) {
    shrink(share, larger > 0 ? floor + 1 : floor);
    if (larger > 0) larger--;
  }
  return freed;
}

/** Takes one partition of the topic of which the member holds most, so that each topic's load stays spread. */
function shedOne(share: Share): TopicPartition {
  const counts = countByTopic(share);
  let chosen = 0;
  share.partitions.forEach((partition, i) => {
    if (
      counts.get(partition.topic)! >=
      counts.get(share.partitions[chosen]!.topic)!
    )
      chosen = i;
  });
  return share.partitions.splice(chosen, 1)[0]!;
}

/** Gives the partition to the subscriber with the fewest partitions; among equals, to the one with the fewest of this topic. False if there is no subscriber. */
function giveTo(shares: readonly Share[], partition: TopicPartition): boolean {
  let best: Share | null = null;
  for (const share of shares) {
    if (!share.topics.has(partition.topic)) continue;
    if (best === null || isLighter(share, best, partition.topic)) best = share;
  }
  best?.partitions.push(partition);
  return best !== null;
}

/** If members subscribe to different topics (a rolling upgrade): moves one partition at a time, while a member has at least two more than another that stays and could take one. */
function level(shares: readonly Share[], staying: readonly Share[]): void {
  for (let isMoved = true; isMoved;) {
    isMoved = false;
    for (const from of shares.toSorted(
      (a, b) => b.partitions.length - a.partitions.length,
    ))
      for (const to of staying) {
        if (from.partitions.length - to.partitions.length < 2) continue;
        const i = from.partitions.findLastIndex((p) => to.topics.has(p.topic));
        if (i < 0) continue;
        to.partitions.push(...from.partitions.splice(i, 1));
        isMoved = true;
      }
  }
}

function isLighter(a: Share, b: Share, topic: string): boolean {
  const difference = a.partitions.length - b.partitions.length;
  if (difference !== 0) return difference < 0;
  return (countByTopic(a).get(topic) ?? 0) < (countByTopic(b).get(topic) ?? 0);
}

function countByTopic(share: Share): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { topic } of share.partitions)
    counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((topic) => b.has(topic));
}
