/** Judges what replays sent, by what the receiver got and what the topics and tables say. How often a request may be repeated is judged by the invariants. */
import { rowsOf, type Evidence } from "@postrider/testkit";
import type { ReplayAnswer } from "./replays.ts";
import type { World } from "./world.ts";

/** What a replay had to do, by the webhook-ids of its events and endpoint. */
export interface Owed {
  /** What the replay had to send. */
  readonly selected: ReadonlySet<string>;
  /** What nobody may send. */
  readonly foreign: ReadonlySet<string>;
  /** How many of these were refused once more: a second replay may find so many under way, and not delivered yet. */
  readonly retried: number;
  /** What it had to leave out, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** How many requests the receiver had got before the replay. */
  readonly requestsBefore: number;
}

/** `replayId`: the one that sent. */
export function* wronglySent(
  { received, deliveries, attempts, intake }: Evidence,
  { selected, foreign, requestsBefore }: Owed,
  replayId: string,
): Iterable<string> {
  if (selected.size === 0) yield "nothing was to be sent";
  const since = new Set(
    received.slice(requestsBefore).map(({ webhookId }) => webhookId),
  );
  const lost = [...selected].filter((id) => !since.has(id));
  if (lost.length > 0) yield `never received: ${few(lost)}`;
  const wrong = [...foreign].filter((id) => since.has(id));
  if (wrong.length > 0) yield `sent, and not selected: ${few(wrong)}`;

  const byReplay = attempts.filter((one) => one.replayId === replayId);
  const own = new Set(byReplay.map(({ deliveryId }) => deliveryId));
  const ownTo = new Set(byReplay.map(({ webhookId }) => webhookId));
  const unasked = [...ownTo].filter((id) => !selected.has(id));
  if (unasked.length > 0) yield `attempted, and not selected: ${few(unasked)}`;
  if (own.size !== selected.size)
    yield `${own.size} deliveries of the replay for ${selected.size} selected`;
  // Also a delivery that was never attempted has been sent.
  const firsts = new Set(
    intake.flatMap((one) => one.deliveries.map(({ deliveryId }) => deliveryId)),
  );
  const more = deliveries.filter(
    ({ deliveryId }) => !own.has(deliveryId) && !firsts.has(deliveryId),
  );
  if (more.length > 0)
    yield `sent by nobody who should: ${few(more.map((one) => one.deliveryId))}`;
}

/** Compares both replays' own counts with what was selected. The second one, made after the end of the first, sends nothing. */
export function* wronglyCounted(
  { selected, retried, leftOut }: Owed,
  [first, second]: readonly [ReplayAnswer, ReplayAnswer],
): Iterable<string> {
  const left = Object.values(leftOut).reduce((sum, count) => sum + count, 0);
  const total = selected.size + left;
  const { delivered = 0 } = leftOut;
  const expected = [
    { total, sent: selected.size, leftOut },
    {
      total,
      sent: 0,
      leftOut: { ...leftOut, delivered: delivered + selected.size },
    },
  ];
  const { under_way: underWay = 0, ...others } = second.leftOut;
  const settled =
    underWay > retried
      ? second
      : {
          ...second,
          leftOut: {
            ...others,
            delivered: (others["delivered"] ?? 0) + underWay,
          },
        };
  for (const [at, { total, sent, leftOut }] of [first, settled].entries()) {
    const told = canonical({ total, sent, leftOut });
    const right = canonical(expected[at]!);
    if (told !== right)
      yield `replay ${at + 1} says ${told}, expected ${right}`;
  }
}

/** Compares `audit` and `deliveries` with what was done. Only at rest. */
export async function wronglyRecorded(
  world: World,
  replays: readonly ReplayAnswer[],
  lacking: number,
): Promise<string[]> {
  const { stack, options } = world;
  const problems: string[] = [];
  for (const { id } of replays) {
    const rows = await rowsOf<{ action: string; n: number; details: number }>(
      stack.clickhouse.url,
      `SELECT action, toInt32(count()) AS n, toInt32(uniqExact(detail)) AS details FROM ${options.database}.audit
       WHERE subject = 'replay' AND subject_id = {id:String} GROUP BY action`,
      { id },
    );
    const told = rows.map(
      ({ action, n, details }) => `${action} ${n}/${details}`,
    );
    const right = [
      "created 1/1",
      "done 1/1",
      ...(lacking === 0 ? [] : [`left_out ${lacking}/${lacking}`]),
    ];
    if (told.toSorted().join() !== right.join())
      problems.push(
        `audit has ${told.join(", ")} of ${id}: not ${right.join(", ")}`,
      );
  }
  const [row] = await rowsOf<{ open: number; wrong: number }>(
    stack.clickhouse.url,
    `SELECT toInt32(countIf(status NOT IN ('delivered', 'expired'))) AS open,
       toInt32(countIf((status = 'delivered') != (delivery_id IN (
         SELECT delivery_id FROM ${options.database}.attempts WHERE outcome = 'delivered')))) AS wrong
     FROM ${options.database}.deliveries FINAL`,
  );
  if (row?.open !== 0 || row.wrong !== 0)
    problems.push(
      `the table deliveries has ${row?.open} that are not over, and ${row?.wrong} whose status is not that of their attempts`,
    );
  return problems;
}

function canonical({
  total,
  sent,
  leftOut,
}: Pick<ReplayAnswer, "total" | "sent" | "leftOut">): string {
  const reasons = Object.entries(leftOut)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`)
    .toSorted((a, b) => a.localeCompare(b));
  return `total ${total}, sent ${sent}, left out ${reasons.join(" + ") || "none"}`;
}

const SHOWN = 5;

function few(ids: readonly string[]): string {
  return `${ids.length} (${ids.slice(0, SHOWN).join(" ")})`;
}
