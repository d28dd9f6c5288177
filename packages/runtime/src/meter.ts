import {
  Counter as PromCounter,
  Gauge as PromGauge,
  type Metric,
  Registry,
} from "prom-client";
import { CountedHistogram } from "./counted-histogram.ts";
import type { Gauge, Meter } from "./effects.ts";
import { TalliedCounter } from "./tallied-counter.ts";

/** A meter that can also render the page for `/metrics`. */
export interface RenderedMeter extends Meter {
  render(): Promise<string>;
}

/** The content type of `/metrics`: the Prometheus text format. */
export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** A meter with a registry of its own; every metric carries the label `service`. Throws when a name is asked for again as another kind of instrument. */
export function createMeter(options: {
  readonly service: string;
}): RenderedMeter {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  const counters: TalliedCounter[] = [];
  const instruments = new Map<string, { kind: string; instrument: unknown }>();

  function once<T>(kind: string, name: string, make: () => T): T {
    const known = instruments.get(name);
    if (known === undefined) {
      const instrument = make();
      instruments.set(name, { kind, instrument });
      return instrument;
    }
    if (known.kind !== kind)
      throw new Error(`metric ${name} is a ${known.kind}, not a ${kind}`);
    return known.instrument as T; // the kind is the same, so this kind's `make` created the instrument
  }

  return {
    counter: (name, help, labelNames = []) =>
      once("counter", name, () => {
        const counter = new PromCounter({
          name,
          help,
          labelNames: [...labelNames],
          registers: [registry],
        });
        const tallied = new TalliedCounter(counter, labelNames);
        counters.push(tallied);
        return tallied;
      }),
    gauge: (name, help, labelNames = [], collect) =>
      once<Gauge>("gauge", name, () => {
        const gauge = new PromGauge({
          name,
          help,
          labelNames: [...labelNames],
          registers: [registry],
          collect: () => collect?.(own),
        });
        const own: Gauge = {
          set: (value, labels = {}) => gauge.set(labels, value),
        };
        return own;
      }),
    histogram: (name, help, buckets, labelNames = []) =>
      once("histogram", name, () => {
        const histogram = new CountedHistogram({
          name,
          help,
          buckets,
          labelNames,
        });
        // The registry uses the name and `get` only.
        registry.registerMetric(histogram as unknown as Metric);
        return histogram;
      }),
    render() {
      for (const counter of counters) counter.flush();
      return registry.metrics();
    },
  };
}
