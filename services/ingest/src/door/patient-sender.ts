import {
  UnfitValueError,
  type OutRecord,
  type Output,
} from "@postrider/messaging";
import { LATE, within } from "@postrider/runtime";

export interface PatientSenderOptions {
  readonly output: Pick<Output, "send">;
  /** How long a request waits for the broker. */
  readonly timeoutMs: number;
  /** The most payload bytes that wait for the broker at once. */
  readonly maxWaitingBytes: number;
}

/** `late`: not acknowledged in time, and may still be. `full`: too much waits already; nothing was sent. `stopped`: we are going away. */
export type SendResult = "acknowledged" | "late" | "full" | "stopped";

/**
 * Hands records to the output and waits for the broker, but not for ever. What is late goes on waiting in memory and
 * counts toward the bound until it is acknowledged, so that memory stays bounded however long the broker is away.
 */
export class PatientSender {
  readonly #options: PatientSenderOptions;
  #waitingBytes = 0;

  constructor(options: PatientSenderOptions) {
    this.#options = options;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** `bytes`: the size of the records, roughly. One request always fits into an empty queue. Rejects with `UnfitValueError`, nothing sent, where a value does not fit its schema. */
  async send(
    records: readonly OutRecord[],
    bytes: number,
  ): Promise<SendResult> {
    const { output, timeoutMs, maxWaitingBytes } = this.#options;
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > maxWaitingBytes)
      return "full";
    this.#waitingBytes += bytes;
    const sent = output
      .send(records)
      .then(
        () => "acknowledged" as const,
        (error: unknown) => {
          if (error instanceof UnfitValueError) throw error;
          // Else the output rejects only when it is stopped.
          return "stopped" as const;
        },
      )
      .finally(() => {
        this.#waitingBytes -= bytes;
      });
    const result = await within(sent, timeoutMs);
    return result === LATE ? "late" : result;
  }
}
