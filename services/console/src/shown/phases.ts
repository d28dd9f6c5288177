import type { AttemptEntry } from "../api/answers.ts";

/** A part of an attempt's time. */
export interface Phase {
  readonly name: string;
  readonly ms: number;
}

/** The parts of an attempt from its start to its end, without those that took no time. What is left over is the reading of the answer. */
export function phasesOf(
  attempt: Pick<
    AttemptEntry,
    "dnsMs" | "connectMs" | "tlsMs" | "ttfbMs" | "durationMs"
  >,
): readonly Phase[] {
  const { dnsMs, connectMs, tlsMs, ttfbMs, durationMs } = attempt;
  const rest = durationMs - dnsMs - connectMs - tlsMs - ttfbMs;
  return [
    { name: "DNS", ms: dnsMs },
    { name: "Connect", ms: connectMs },
    { name: "TLS", ms: tlsMs },
    { name: "First byte", ms: ttfbMs },
    { name: "Rest", ms: rest },
  ].filter(({ ms }) => ms > 0);
}
