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

/** `late`: not acknowledged in time, but may be later. `full`: too many bytes wait already; nothing was sent. `stopped`: this process is stopping. */
export type SendResult = "acknowledged" | "late" | "full" | "stopped";

/**
 * Sends records to the output and waits for the broker, for at most `timeoutMs`. Records that are late stay in memory and
 * count toward `maxWaitingBytes` until they are acknowledged. So memory stays bounded, however long the broker is away.
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

  /** `bytes`: about the size of the records. An empty queue takes a request of any size. Rejects with `UnfitValueError`, and sends nothing, if a value does not fit its schema. */
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
          // The only other reason for which the output rejects: it was stopped.
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
