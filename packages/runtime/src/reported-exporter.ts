import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Log } from "./effects.ts";

type Spans = Parameters<SpanExporter["export"]>[0];
type Done = Parameters<SpanExporter["export"]>[1];

/** The SDK's code of success. The enum itself would cost a further package. */
const SUCCESS = 0;

/** An exporter that logs once when sending fails, and once when it works again. Without it nobody would see the failure: the SDK reports it to a log of its own, which is silent. */
export function reportedExporter(inner: SpanExporter, log: Log): SpanExporter {
  let lost = 0;
  const note = ({ code, error }: Parameters<Done>[0], count: number): void => {
    if (code === SUCCESS) {
      if (lost > 0) log.info("spans.sentAgain", { lost });
      lost = 0;
      return;
    }
    if (lost === 0)
      log.warn("spans.notSent", {
        error: error?.message ?? "no reason given",
        effect:
          "spans are lost until the receiver answers; deliveries are not affected",
        next: "check the address in OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
      });
    lost += count;
  };
  return {
    export(spans: Spans, done: Done) {
      inner.export(spans, (result) => {
        note(result, spans.length);
        done(result);
      });
    },
    forceFlush: async () => await inner.forceFlush?.(),
    shutdown: () => inner.shutdown(),
  };
}
