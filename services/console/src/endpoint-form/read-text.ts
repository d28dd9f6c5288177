/** Reads what was typed as the value that the API takes. What its rules are, the API says; here is only what cannot be sent. */
import { readDuration } from "../shown/durations.ts";

export type Read =
  | { readonly value: unknown }
  /** Why it cannot be read, as the API's own problems are worded. */
  | { readonly problem: string };
export type ReadText = (text: string) => Read;

export const text: ReadText = (given) => ({ value: given.trim() });

export function orNull(read: ReadText): ReadText {
  return (given) => (given.trim() === "" ? { value: null } : read(given));
}

export const words: ReadText = (given) => ({ value: wordsOf(given) });

export const number: ReadText = (given) => {
  const value = Number(given.trim());
  return given.trim() === "" || Number.isNaN(value)
    ? { problem: "must be a number" }
    : { value };
};

export const numbers: ReadText = (given) => {
  const values = wordsOf(given).map(Number);
  return values.some(Number.isNaN)
    ? { problem: "must be numbers with commas between" }
    : { value: values };
};

export const duration: ReadText = (given) => {
  const value = readDuration(given);
  return value === null
    ? { problem: "must be a duration with its unit, such as 15s or 5m" }
    : { value };
};

/** A preset's name stands for its waits; the API knows which there are. */
export const durations: ReadText = (given) => {
  const all = given.split(",").map((each) => each.trim());
  if (all.length === 1 && /^[a-z]/i.test(all[0] ?? ""))
    return { value: all[0] };
  const values = all.map(readDuration);
  return values.includes(null)
    ? { problem: "must be durations with commas between, such as 30s, 5m, 1h" }
    : { value: values };
};

export const rateLimit: ReadText = (given) => {
  const [perSecond, burst, ...more] = wordsOf(given).map(Number);
  if (
    perSecond === undefined ||
    more.length > 0 ||
    isNoNumber(perSecond, burst)
  )
    return { problem: "must be one number or two, such as 50 or 50, 100" };
  return { value: { perSecond, ...(burst !== undefined && { burst }) } };
};

export const headers: ReadText = (given) => {
  const lines = given.split("\n").filter((line) => line.trim() !== "");
  const entries = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  });
  if (lines.some((line) => line.indexOf(":") < 1))
    return { problem: "must be lines of a name, a colon and a value" };
  const names = entries.map(([name]) => name.toLowerCase());
  // An object would keep the last one only.
  if (new Set(names).size < names.length)
    return { problem: "must not name a header twice" };
  return { value: Object.fromEntries(entries) };
};

function wordsOf(given: string): readonly string[] {
  return given.split(/[\s,]+/).filter((word) => word !== "");
}

function isNoNumber(...given: readonly (number | undefined)[]): boolean {
  return given.some((each) => each !== undefined && Number.isNaN(each));
}
