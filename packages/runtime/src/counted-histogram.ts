import type { Histogram, Labels } from "./effects.ts";
import { SeriesByLabels } from "./series.ts";

interface Distribution {
  readonly labels: Labels;
  /** By bucket; values above the last one are only in `count`. */
  readonly counts: number[];
  sum: number;
  count: number;
}

/** A value as prom-client's registry prints it; `sharedLabels` stand behind the others. */
interface Printed {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels: Labels;
  readonly value: number;
}

/** A histogram for prom-client's registry. prom-client's own takes 0.25 µs for each value, about ten times as long. */
export class CountedHistogram implements Histogram {
  readonly name: string;
  readonly #help: string;
  /** Ascending. */
  readonly #buckets: readonly number[];
  readonly #distributions: SeriesByLabels<Distribution>;

  constructor(options: {
    readonly name: string;
    readonly help: string;
    readonly buckets: readonly number[];
    readonly labelNames: readonly string[];
  }) {
    const { name, help, buckets, labelNames } = options;
    this.name = name;
    this.#help = help;
    this.#buckets = buckets;
    this.#distributions = new SeriesByLabels(labelNames, (labels) => {
      for (const label in labels)
        if (!labelNames.includes(label))
          throw new Error(`${name} has no label ${label}`);
      return { labels, counts: buckets.map(() => 0), sum: 0, count: 0 };
    });
    // Shown from the start, as prom-client does.
    if (labelNames.length === 0) this.#distributions.of(NO_LABELS);
  }

  /** Throws for a value that is not finite; at the first call of a series also for labels that the histogram does not have. */
  observe(value: number, labels: Labels = NO_LABELS): void {
    if (!Number.isFinite(value)) throw new RangeError(`observed ${value}`);
    const distribution = this.#distributions.of(labels);
    distribution.sum += value;
    distribution.count++;
    const buckets = this.#buckets;
    for (let i = 0; i < buckets.length; i++)
      if (value <= buckets[i]!) {
        distribution.counts[i]!++;
        return;
      }
  }

  /** What prom-client's registry prints. */
  get(): Promise<object> {
    const values = this.#distributions
      .all()
      .flatMap((distribution) => this.#printed(distribution));
    return Promise.resolve({
      name: this.name,
      help: this.#help,
      type: "histogram",
      aggregator: "sum",
      values,
    });
  }

  #printed({ labels, counts, sum, count }: Distribution): Printed[] {
    const value = (
      suffix: string,
      number: number,
      own: Record<string, string | number> = {},
    ): Printed => ({
      metricName: `${this.name}_${suffix}`,
      labels: own,
      sharedLabels: labels,
      value: number,
    });
    let below = 0;
    const buckets = this.#buckets.map((le, i) =>
      value("bucket", (below += counts[i]!), { le }),
    );
    return [
      ...buckets,
      value("bucket", count, { le: "+Inf" }),
      value("sum", sum),
      value("count", count),
    ];
  }
}

const NO_LABELS: Labels = {};
