import {
  UnfitValueError,
  type OutRecord,
  type Output,
} from "@postrider/messaging";

export interface PatientSenderOptions {
  readonly output: Pick<Output, "sendThen">;
  /** How long a request waits for the broker. */
  readonly timeoutMs: number;
  /** The most payload bytes that wait for the broker at once. */
  readonly maxWaitingBytes: number;
}

/** The longest delay of `setTimeout` (ms). It treats a longer one as no delay at all. */
const LONGEST_MS = 2 ** 31 - 1;

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
  send(records: readonly OutRecord[], bytes: number): Promise<SendResult> {
    const { output, timeoutMs, maxWaitingBytes } = this.#options;
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > maxWaitingBytes)
      return Promise.resolve("full");
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => resolve("late"),
        Math.min(timeoutMs, LONGEST_MS),
      );
      output.sendThen(records, undefined, (error) => {
        clearTimeout(late);
        this.#waitingBytes -= bytes;
        if (error === null) resolve("acknowledged");
        else if (error instanceof UnfitValueError) reject(error);
        // The only other reason for which the output refuses: it was stopped.
        else resolve("stopped");
      });
    });
  }
}
