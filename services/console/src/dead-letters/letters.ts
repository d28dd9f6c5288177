import type { DeadLetter } from "../api/answers-letters.ts";

/** Where it is in the log is the only thing that each dead letter has of its own. */
export function keyOf(letter: DeadLetter): string {
  const { logTopic, logPartition, logOffset } = letter;
  return `${logTopic}/${logPartition}@${logOffset}`;
}

/** Null: a replay can send it. Otherwise why none can. */
export function whyNotLetter(letter: DeadLetter): string | null {
  if (letter.deliveryId === null)
    return "It never became a delivery: publish its event again.";
  if (letter.reason === "paused")
    return "It is parked: a resume of its endpoint sends it.";
  return letter.isDelivered ? "It has been delivered since." : null;
}
