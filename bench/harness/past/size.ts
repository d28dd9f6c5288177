/** How large the made-up past is. Everything else about it follows from these numbers and a fixed seed. */
export interface PastSize {
  /** Events, of which each makes none or some deliveries. */
  readonly events: number;
  readonly tenants: number;
  readonly endpoints: number;
  /** When the last of the events came in, epoch ms. */
  readonly endsAt: number;
  /** What would have begun later is not there yet, epoch ms. */
  readonly cutAt: number;
}

/** The shares of the biggest tenant, of all events and of all endpoints. */
export const BIGGEST_SHARE = 0.3;

const DAY_MS = 86_400_000;

/** How the events lie in time: this share of them in so many days, the newest first. The tables keep 30 days. */
const SPANS = [
  { share: 0.45, days: 3 },
  { share: 0.25, days: 4 },
  { share: 0.3, days: 22 },
] as const;

/** The age of an event in ms: of the newest 0, of the oldest 29 days. `n` is SQL for its number; beyond the last event it is negative. */
export function ageMs({ events }: PastSize, n: string): string {
  const left = `(1 - ${n} / ${events})`;
  let [share, ms] = [0, 0];
  const branches = SPANS.flatMap((span) => {
    const [from, at] = [share, ms];
    share += span.share;
    ms += span.days * DAY_MS;
    const age = `${at} + (${left} - ${from.toFixed(2)}) * ${(span.days * DAY_MS) / span.share}`;
    return span === SPANS.at(-1)
      ? [age]
      : [`${left} < ${share.toFixed(2)}`, age];
  });
  return `multiIf(${branches.join(", ")})`;
}

/** From one event to the next at the end of the past, ms. */
export function newestGapMs({ events }: PastSize): number {
  const [{ share, days }] = SPANS;
  return (days * DAY_MS) / (share * events);
}
