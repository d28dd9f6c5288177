/** Secrets that are planted, and the search for them in bytes: as they are, in base64 at any alignment, and in hex. */
import { randomBytes } from "node:crypto";

export interface Plant {
  readonly name: string;
  readonly text: string;
}

/** A secret that is found wherever it goes: letters and digits, so that no encoding of text changes it. */
export function plant(name: string): Plant {
  return { name, text: `planted${randomBytes(16).toString("hex")}` };
}

interface Form {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Every form in which the secret is looked for. */
export function formsOf(secret: Buffer): Form[] {
  const hex = secret.toString("hex");
  return [
    { name: "plain", bytes: secret },
    { name: "hex", bytes: Buffer.from(hex) },
    { name: "HEX", bytes: Buffer.from(hex.toUpperCase()) },
    ...[0, 1, 2].flatMap((offset) => [
      { name: "base64", bytes: coreOf(secret, offset, "base64") },
      { name: "base64url", bytes: coreOf(secret, offset, "base64url") },
    ]),
  ];
}

/** The characters of the base64 that depend on the secret alone, when it comes `offset` bytes after a multiple of three. */
function coreOf(
  secret: Buffer,
  offset: number,
  encoding: "base64" | "base64url",
): Buffer {
  const shifted = Buffer.concat([Buffer.alloc(offset), secret]);
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor((shifted.length * 8) / 6);
  return Buffer.from(shifted.toString(encoding).slice(first, last));
}

export class Search {
  readonly #plants: readonly (Plant & { readonly forms: readonly Form[] })[];
  readonly #found = new Set<string>();
  /** How many places were looked into, by kind (the first word). */
  readonly looked = new Map<string, number>();

  constructor(
    plants: readonly (Plant & { readonly bytes?: readonly Buffer[] })[],
  ) {
    this.#plants = plants.map((each) => ({
      ...each,
      forms: [Buffer.from(each.text), ...(each.bytes ?? [])].flatMap(formsOf),
    }));
  }

  /** Notes each plant that is in the bytes of the place. */
  look(place: string, bytes: Buffer | string | null): void {
    if (bytes === null) return;
    const [kind = ""] = place.split(" ");
    this.looked.set(kind, (this.looked.get(kind) ?? 0) + 1);
    const within = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    for (const { name, forms } of this.#plants)
      for (const form of forms)
        if (within.includes(form.bytes))
          this.#found.add(`${name} (${form.name}) in ${place}`);
  }

  get found(): readonly string[] {
    return [...this.#found].toSorted();
  }
}
