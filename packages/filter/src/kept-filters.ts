import { compileFilter, type FilterCompilation } from "./compile-filter.ts";

/** So many characters of filters are kept; when more come, those that were compiled first are forgotten. A filter takes about a kilobyte for ten characters. */
const MOST_CHARACTERS = 500_000;

/** Filters by their text, compiled once: endpoints, and versions of an endpoint, with the same filter share it. */
export class KeptFilters {
  readonly #byText = new Map<string, FilterCompilation>();
  readonly #most: number;
  #characters = 0;

  constructor(mostCharacters = MOST_CHARACTERS) {
    this.#most = mostCharacters;
  }

  get characters(): number {
    return this.#characters;
  }

  of(text: string): FilterCompilation {
    const kept = this.#byText.get(text);
    if (kept !== undefined) return kept;
    for (const oldest of this.#byText.keys()) {
      if (this.#characters + text.length <= this.#most) break;
      this.#byText.delete(oldest);
      this.#characters -= oldest.length;
    }
    const compiled = compileFilter(text);
    this.#byText.set(text, compiled);
    this.#characters += text.length;
    return compiled;
  }
}
