/** Checks that a run must pass before its number is printed. Each throws with what it found. */
import type { Attempt, DeadLetter } from "@postrider/core";
import { topicName } from "@postrider/messaging";
import { waitFor } from "@postrider/testkit";
import { Webhook } from "standardwebhooks";
import { headerOf } from "../sink/request-reader.ts";
import type { SinkReport } from "../sink/protocol.ts";
import { SECRET } from "./load.ts";
import { readRecords } from "./read-topic.ts";
import type { Sink } from "./sink.ts";
import type { Topics } from "./stack.ts";

/** What came to the sink: the ids, as `checkIds` wants them, with the right signatures. */
export async function checkedReport(
  sink: Sink,
  ids: ReadonlySet<string>,
  repeatsAllowed?: number,
): Promise<SinkReport> {
  const report = await sink.report();
  checkIds(report, ids, repeatsAllowed);
  checkSignatures(report);
  return report;
}

/** When each id first came, in µs of the machine's monotonic clock. */
export function seenAtOf({
  ids,
  seenAtMicros,
}: SinkReport): Map<string, number> {
  return new Map(ids.map((id, i) => [id, seenAtMicros[i]!]));
}

/** Every id must have come, but for `repeatsAllowed` requests exactly once, and no id that was not sent. */
export function checkIds(
  report: SinkReport,
  ids: ReadonlySet<string>,
  repeatsAllowed = 0,
): void {
  const strange = report.ids.filter((id) => !ids.has(id)).length;
  const repeats = report.requests - ids.size;
  if (report.unique !== ids.size || repeats > repeatsAllowed || strange > 0)
    throw new Error(
      `the sink saw ${report.requests} requests with ${report.unique} ids, ${strange} of them strange; ${ids.size} were sent`,
    );
}

/** Compares signatures with those of a public library, not with ours. Not by its `verify`: a run may be longer than its tolerance of five minutes. */
export function checkSignatures(report: SinkReport): void {
  const webhook = new Webhook(SECRET);
  if (report.requests >= 100 && report.sample.length === 0)
    throw new Error("the sink kept no sample");
  for (const { head, body } of report.sample) {
    const id = headerOf(head, "webhook-id");
    const at = Number(headerOf(head, "webhook-timestamp")) * 1000;
    const payload = Buffer.from(body).toString();
    const expected = webhook.sign(id, new Date(at), payload);
    const signatures = headerOf(head, "webhook-signature").split(" ");
    if (!signatures.includes(expected))
      throw new Error(`the signature of ${id} is wrong`);
  }
}

/** Waits until the group has read and committed everything that the topic holds now. */
export async function checkLag(
  { admin, prefix }: Topics,
  group: string,
  name: string,
  timeoutMs = 15_000,
): Promise<void> {
  const topic = topicName(prefix, name);
  const ranges = await admin.fetchLogRanges([topic]);
  await waitFor(
    async () => {
      const stored = await admin.fetchCommitted(`${prefix}${group}`, [topic]);
      const offsets = new Map(stored.map((s) => [s.partition, s.offset]));
      return ranges.every(
        ({ partition, start, end }) =>
          start === end || (offsets.get(partition) ?? -1) >= end,
      );
    },
    { timeoutMs, what: `lag 0 of ${group} on ${name}` },
  );
}

/** There must be one attempt per delivery, but for `repeatsAllowed`, and no dead letter. Returns how many deliveries were deferred, which is no attempt. */
export async function checkAttempts(
  topics: Topics,
  count: number,
  repeatsAllowed = 0,
): Promise<number> {
  const deliveries = new Set<string>();
  let records = 0;
  let deferrals = 0;
  await readAttempts(topics, ({ deliveryId, attemptNumber }) => {
    if (attemptNumber === 0) return void deferrals++;
    deliveries.add(deliveryId);
    records += 1;
  });
  if (deliveries.size !== count || records - count > repeatsAllowed)
    throw new Error(
      `${records} attempts of ${deliveries.size} deliveries and ${deferrals} deferrals; expected ${count}`,
    );
  await checkDeadLetters(topics);
  return deferrals;
}

export async function checkDeadLetters(topics: Topics): Promise<void> {
  const reasons = (await readDeadLetters(topics)).map(({ reason }) => reason);
  if (reasons.length > 0)
    throw new Error(
      `${reasons.length} dead letters: ${[...new Set(reasons)].join(", ")}`,
    );
}

/** Calls back for every record of `attempts`, each partition in its order. */
export async function readAttempts(
  topics: Topics,
  onAttempt: (attempt: Attempt) => void,
): Promise<void> {
  await readRecords(topics, "attempts", onAttempt);
}

export async function readDeadLetters(topics: Topics): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  await readRecords(topics, "dead-letters", (each) => void found.push(each));
  return found;
}
