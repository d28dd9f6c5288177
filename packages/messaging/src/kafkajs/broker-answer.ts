import { answerWithin } from "@postrider/runtime";

/** Somebody waits for the answers of all brokers together, ms. */
const PATIENCE_MS = 3_000;

/** What one broker answers; null if it fails, or takes longer than 3 s. */
export async function brokerAnswer<T>(asked: Promise<T>): Promise<T | null> {
  return await answerWithin(asked, PATIENCE_MS);
}
