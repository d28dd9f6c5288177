import { exactTime, relativeTime } from "../shown/shown-time.ts";
import { useNow } from "./now.tsx";
import { useZone } from "./zone.tsx";

/** How long ago, or until when. The exact time is its title, by the chosen clock first and then by the other. */
export function Time({ at }: { readonly at: string | null }) {
  const now = useNow();
  const { zone } = useZone();
  const ms = msOf(at);
  if (at === null || ms === null) return <>–</>;
  const other = zone === "utc" ? "local" : "utc";
  return (
    <time
      dateTime={at}
      title={`${exactTime(ms, zone)}\n${exactTime(ms, other)}`}
    >
      {/* The clock that all share is up to five seconds late: what has just happened would be in its future. */}
      {relativeTime(ms, ms > now ? Date.now() : now)}
    </time>
  );
}

/** The exact time by the chosen clock; by the other one as its title. */
export function ExactTime({ at }: { readonly at: string | null }) {
  const { zone } = useZone();
  const ms = msOf(at);
  if (at === null || ms === null) return <>–</>;
  return (
    <time dateTime={at} title={exactTime(ms, zone === "utc" ? "local" : "utc")}>
      {exactTime(ms, zone)}
    </time>
  );
}

/** Null for what is no time: written out, it would take the whole page with it. */
function msOf(at: string | null): number | null {
  const ms = Date.parse(at ?? "");
  return Number.isNaN(ms) ? null : ms;
}
