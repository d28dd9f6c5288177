import {
  UnfitValueError,
  type OutRecord,
  type Output,
} from "@postrider/messaging";
import { LONGEST_TIMER_MS } from "@postrider/runtime";

export interface PatientSenderOptions {
  readonly output: Pick<Output, "sendThen">;
  /** How long a request waits for the broker. */
  readonly timeoutMs: number;
  /** The most payload bytes that wait for the broker at once. */
  readonly maxWaitingBytes: number;
  /** The most records that wait for the broker at once. Small ones take more memory than their bytes. */
  readonly maxWaitingRecords: number;
}

/** `late`: not acknowledged in time, but may be later. `full`: too much waits already; nothing was sent. `stopped`: this process is stopping. */
export type SendResult = "acknowledged" | "late" | "full" | "stopped";

/**
 * Sends records to the output and waits for the broker, for at most `timeoutMs`. Records that are late stay in memory and
 * count toward `maxWaitingBytes` and `maxWaitingRecords` until they are acknowledged. So memory stays bounded, however long the
 * broker is away.
 */
export class PatientSender {
  readonly #options: PatientSenderOptions;
  #waitingBytes = 0;
  #waitingRecords = 0;

  constructor(options: PatientSenderOptions) {
    this.#options = options;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get waitingRecords(): number {
    return this.#waitingRecords;
  }

  /** `bytes`: about the size of the records. An empty queue takes a request of any size. Rejects with `UnfitValueError`, and sends nothing, if a value does not fit its schema. */
  send(records: readonly OutRecord[], bytes: number): Promise<SendResult> {
    const { output, timeoutMs } = this.#options;
    if (!this.#hasRoom(records.length, bytes)) return Promise.resolve("full");
    this.#waitingBytes += bytes;
    this.#waitingRecords += records.length;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => resolve("late"),
        Math.min(timeoutMs, LONGEST_TIMER_MS),
      );
      output.sendThen(records, undefined, (error) => {
        clearTimeout(late);
        this.#waitingBytes -= bytes;
        this.#waitingRecords -= records.length;
        if (error === null) resolve("acknowledged");
        else if (error instanceof UnfitValueError) reject(error);
        // The only other reason for which the output refuses: it was stopped.
        else resolve("stopped");
      });
    });
  }

  #hasRoom(records: number, bytes: number): boolean {
    const { maxWaitingBytes, maxWaitingRecords } = this.#options;
    if (this.#waitingRecords === 0) return true;
    return (
      this.#waitingBytes + bytes <= maxWaitingBytes &&
      this.#waitingRecords + records <= maxWaitingRecords
    );
  }
}
