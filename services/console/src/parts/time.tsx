import { localTime, relativeTime, utcTime } from "../shown/shown-time.ts";
import { useNow } from "./now.tsx";

/** How long ago, or until when. The exact time is its title, in UTC and as the browser's clock has it. */
export function Time({ at }: { readonly at: string | null }) {
  const now = useNow();
  if (at === null) return <>–</>;
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={`${utcTime(ms)}\n${localTime(ms)}`}>
      {relativeTime(ms, now)}
    </time>
  );
}

/** The exact time. */
export function ExactTime({ at }: { readonly at: string | null }) {
  if (at === null) return <>–</>;
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={localTime(ms)}>
      {utcTime(ms)}
    </time>
  );
}
