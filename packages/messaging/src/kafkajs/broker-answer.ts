import { LATE, within } from "@postrider/runtime";

/** Somebody waits for the answers of all brokers together, ms. */
const PATIENCE_MS = 3_000;

/** What one broker answers; null if it fails, or takes longer than 3 s. */
export async function brokerAnswer<T>(asked: Promise<T>): Promise<T | null> {
  try {
    const answer = await within(asked, PATIENCE_MS);
    return answer === LATE ? null : answer;
  } catch {
    return null;
  }
}
