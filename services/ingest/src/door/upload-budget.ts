/**
 * How many bytes of bodies a door holds at once, being read or waiting for Kafka. Invariant: `takenBytes` is the sum of the
 * shares that are not given back; a share alone may be of any size, so that no budget keeps a request out for ever.
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

  /** One request's share, of nothing yet. */
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
  /** False, and nothing is taken, where there is no room. */
  take(bytes: number): boolean;
  /** All of it. Twice is safe. */
  giveBack(): void;
}
