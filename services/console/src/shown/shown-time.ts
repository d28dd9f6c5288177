import { shownDuration } from "./amounts.ts";

/** Which clock times are shown by, and typed. */
export type Zone = "utc" | "local";

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

export function exactTime(at: number, zone: Zone): string {
  return zone === "utc" ? utcTime(at) : localTime(at);
}

/** `2026-11-30 05:04:52 UTC` */
export function exactSecond(at: number, zone: Zone): string {
  return exactTime(at, zone).replace(/\.\d{3}/, "");
}

/** By how much the clock is ahead of UTC at that time, in milliseconds. */
export function aheadOfUtc(at: number, zone: Zone): number {
  return zone === "utc" ? 0 : -new Date(at).getTimezoneOffset() * 60_000;
}

/** As a field for a time has it: `2026-11-30T05:04:52`. Empty for what is no RFC 3339, such as `1h`. */
export function fieldOfTime(text: string, zone: Zone): string {
  const at = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) return "";
  const offset = zone === "utc" ? 0 : new Date(at).getTimezoneOffset();
  return new Date(at - offset * 60_000).toISOString().slice(0, 19);
}

/** What such a field has, as RFC 3339; empty where that is no time. Of an hour that a clock goes through twice it is the first. */
export function timeOfField(text: string, zone: Zone): string {
  // A text without an offset is in the browser's zone.
  const at = Date.parse(zone === "utc" ? `${text}Z` : text);
  return Number.isNaN(at)
    ? ""
    : new Date(at).toISOString().replace(".000Z", "Z");
}
