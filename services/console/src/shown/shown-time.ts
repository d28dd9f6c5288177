import { shownDuration } from "./amounts.ts";

/** `5 min ago`, `in 3.4 s`, `now`: within two seconds two clocks may well differ. */
export function relativeTime(at: number, now: number): string {
  const away = Math.abs(at - now);
  if (away < 2_000) return "now";
  const seconds = away < 60_000 ? Math.round(away / 1_000) * 1_000 : away;
  return at < now
    ? `${shownDuration(seconds)} ago`
    : `in ${shownDuration(seconds)}`;
}

/** `2026-11-30 05:04:52.123 UTC` */
export function utcTime(at: number): string {
  return `${new Date(at).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** `2026-11-30 05:04:52 UTC` */
export function utcSecond(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** With milliseconds, in the time zone of the browser, with its offset. */
export function localTime(at: number): string {
  const date = new Date(at);
  const offset = -date.getTimezoneOffset();
  const shifted = new Date(at + offset * 60_000);
  const sign = offset < 0 ? "−" : "+";
  const two = (value: number): string => String(value).padStart(2, "0");
  const away = Math.abs(offset);
  return `${shifted.toISOString().replace("T", " ").slice(0, -1)} ${sign}${two(Math.floor(away / 60))}:${two(away % 60)}`;
}
