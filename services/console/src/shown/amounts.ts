/** Numbers with their units, for people. */

const UNITS = ["B", "KiB", "MiB", "GiB"];

/** `1.4 KiB` */
export function shownBytes(bytes: number): string {
  let rest = bytes;
  let unit = 0;
  while (rest >= 1_024 && unit < UNITS.length - 1) {
    rest /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${UNITS[unit]}`;
}

/** `12 ms`, `3.4 s`, `5 min`, `2 h 5 min`, `3 d 4 h` */
export function shownDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? joined([hours, "h"], [minutes % 60, "min"])
    : joined([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

function joined(...parts: readonly (readonly [number, string])[]): string {
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** `3 attempts`, `1 attempt`, `1,204 deliveries` */
export function counted(
  count: number,
  noun: string,
  several = `${noun}s`,
): string {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : several}`;
}

/** `98.3 %`. Only all of them are 100, and only none of them 0. */
export function shownShare(part: number, whole: number): string {
  if (part === whole) return "100 %";
  if (part === 0) return "0 %";
  const percent = Math.round((1_000 * part) / whole) / 10;
  return `${Math.min(Math.max(percent, 0.1), 99.9)} %`;
}
