import { sleep } from "@postrider/runtime";

/** While the coordinator is silent for longer than this part of the session, another replica may be the owner already. */
const LEASE = 0.8;
const LEASE_POLL_MS = 100;

export interface Lease {
  readonly heartbeatAgeMs: () => number;
  readonly sessionTimeoutMs: number;
}

/** Another owner may have begun while this process was frozen or cut off: then nothing more is sent. Rejects with the signal's reason. */
export async function untilLeased(
  { heartbeatAgeMs, sessionTimeoutMs }: Lease,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && heartbeatAgeMs() > LEASE * sessionTimeoutMs)
    await sleep(LEASE_POLL_MS, { signal });
  signal.throwIfAborted();
}
