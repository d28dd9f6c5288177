/** Where a chart's lines and labels are, without a browser. */
import { shownDuration } from "./amounts.ts";
import { aheadOfUtc, type Zone } from "./shown-time.ts";

/** One side of a chart. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Where a value is on an axis, from 0 to 1. */
export function placeOn({ from, to }: Axis, value: number): number {
  return to === from ? 0.5 : (value - from) / (to - from);
}

/** An axis of amounts that begins at 0, or below where a value does, and ends at a round number. Of shares it has all, up to 100 %. */
export function valueAxis(values: readonly number[], unit: string): Axis {
  const least = values.reduce((min, value) => Math.min(min, value), 0);
  const greatest = values.reduce(
    (max, value) => Math.max(max, value),
    unit === "%" ? 100 : 0,
  );
  const step = roundStep((greatest - least) / 4, {
    base: unit === "ms" ? baseOf(greatest) : 1,
    isWhole: values.every(Number.isInteger),
  });
  const first = Math.floor(least / step);
  const last = Math.max(Math.ceil(greatest / step), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, n) => {
    const value = Number(((first + n) * step).toPrecision(12));
    return { value, label: shownAmount(value, unit, "short") };
  });
  return { from: first * step, to: last * step, ticks };
}

/** 1, 2, 2.5 or 5 times a power of ten, of a base: half a minute is a round duration, and 50,000 ms is none. */
function roundStep(
  atLeast: number,
  { base, isWhole }: { readonly base: number; readonly isWhole: boolean },
): number {
  if (atLeast <= 0) return base;
  const power = 10 ** Math.floor(Math.log10(atLeast / base));
  const times = [1, 2, 2.5, 5, 10].find(
    (each) =>
      each * power * base >= atLeast * 0.999 &&
      (!isWhole || Number.isInteger(each * power * base)),
  );
  return Math.max((times ?? 10) * power * base, isWhole ? 1 : 0);
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function baseOf(ms: number): number {
  return [DAY, HOUR, MINUTE].find((base) => ms > 2 * base) ?? 1;
}

const TIME_STEPS = [
  ...[1, 5, 10, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 30, 100, 365].map((days) => days * DAY),
];
const MOST_TIMES = 5;

/** An axis of times: its labels are at whole multiples of a usual step, by the chosen clock. Where that is put forward or back in between, by what it showed at first. */
export function timeAxis(from: number, to: number, zone: Zone = "utc"): Axis {
  const ahead = aheadOfUtc(from, zone);
  const step =
    TIME_STEPS.find((each) => (to - from) / each <= MOST_TIMES) ?? to - from;
  const ticks = [];
  const first = Math.ceil((from + ahead) / step) * step - ahead;
  for (let at = first; at <= to; at += step)
    ticks.push({
      value: at,
      label: timeLabel(at + aheadOfUtc(at, zone), step),
    });
  return { from, to, ticks };
}

/** `14:05`, `14:05:30` where seconds count, and `29 Nov` where a day begins. `at` as if the clock showed UTC. */
function timeLabel(at: number, step: number): string {
  const time = new Date(at).toISOString();
  if (step >= DAY || (at % DAY === 0 && step >= MINUTE)) return dayOf(at);
  return time.slice(11, step < MINUTE ? 19 : 16);
}

function dayOf(at: number): string {
  return new Date(at).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
}

/** `1,204 attempts`, `99.2 %`, `3.4 s`; short: `1.2K`, for an axis. Without a value: `–`. */
export function shownAmount(
  value: number | null,
  unit: string,
  length: "long" | "short" = "long",
): string {
  if (value === null) return "–";
  if (unit === "ms") return shownDuration(value);
  const isShort = length === "short";
  const amount = value.toLocaleString("en", {
    notation: isShort ? "compact" : "standard",
    maximumFractionDigits: isShort ? 1 : 2,
  });
  return unit === "" || (isShort && unit !== "%")
    ? amount
    : `${amount} ${unit}`;
}
