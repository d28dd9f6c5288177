/**
 * Counts the bytes of bodies that the door holds at once, being read or waiting for Kafka. Invariant: `takenBytes` is the
 * sum of the shares that are not given back. A share that is the only one may be of any size: otherwise a request larger
 * than the budget could never be accepted.
 */
export class UploadBudget {
  readonly #maxBytes: number;
  #takenBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** A new share for one request, of 0 bytes. */
  share(): UploadShare {
    let own = 0;
    return {
      take: (bytes) => {
        const isAlone = this.#takenBytes === own;
        if (!isAlone && this.#takenBytes + bytes > this.#maxBytes) return false;
        this.#takenBytes += bytes;
        own += bytes;
        return true;
      },
      giveBack: () => {
        this.#takenBytes -= own;
        own = 0;
      },
    };
  }
}

export interface UploadShare {
  /** Adds to the share. False if there is no room; then nothing is added. */
  take(bytes: number): boolean;
  /** Gives the whole share back. A second call does nothing. */
  giveBack(): void;
}
