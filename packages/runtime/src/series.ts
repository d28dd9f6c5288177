/** The series of one metric, one for each combination of label values that was seen. */
import type { Labels } from "./effects.ts";

type Level<S> = Map<string | undefined, Level<S> | S>;

/**
 * Finds a series by its label values, one map for each label. prom-client makes a text of all of them for each call, which costs
 * ten times as much.
 */
export class SeriesByLabels<S extends object> {
  readonly #labelNames: readonly string[];
  readonly #make: (labels: Labels) => S;
  readonly #root: Level<S> = new Map();
  readonly #all: S[] = [];
  #unlabelled: S | null = null;

  /** `make` may throw, if it refuses the labels. */
  constructor(labelNames: readonly string[], make: (labels: Labels) => S) {
    this.#labelNames = labelNames;
    this.#make = make;
  }

  /** In the order in which they were seen. */
  all(): readonly S[] {
    return this.#all;
  }

  /** The series with these labels; made if there is none. */
  of(labels: Labels): S {
    const names = this.#labelNames;
    if (names.length === 0) return (this.#unlabelled ??= this.#made(labels));
    let level = this.#root;
    for (let i = 0; i < names.length - 1; i++) {
      const value = labels[names[i]!];
      // All levels but the last hold maps.
      let next = level.get(value) as Level<S> | undefined;
      if (next === undefined) level.set(value, (next = new Map()));
      level = next;
    }
    const value = labels[names.at(-1)!];
    // The last level holds series.
    let series = level.get(value) as S | undefined;
    if (series === undefined) level.set(value, (series = this.#made(labels)));
    return series;
  }

  #made(labels: Labels): S {
    const series = this.#make({ ...labels });
    this.#all.push(series);
    return series;
  }
}
