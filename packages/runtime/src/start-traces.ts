import type { Lifecycle, Log, Tracer } from "./effects.ts";
import { noTracer } from "./no-tracer.ts";
import {
  asksForTraces,
  tracesProtocolOf,
  type TracesSettings,
} from "./traces-config.ts";

export interface StartTracesOptions {
  /** Empty for a service that makes no spans. */
  readonly settings: Partial<TracesSettings>;
  /** The service's name: its spans carry `postrider-` and this as `service.name`, unless OTEL_SERVICE_NAME says otherwise. */
  readonly service: string;
  readonly log: Log;
}

/** A process's tracer, and the parts that send its spans away; none without tracing. */
export interface Traces {
  readonly tracer: Tracer;
  readonly parts: readonly Lifecycle[];
}

/** Loads OpenTelemetry's SDK, but only if the settings ask for traces: it costs a start about 0.1 s of CPU and 8 MB. */
export async function startTraces(
  options: StartTracesOptions,
): Promise<Traces> {
  if (!asksForTraces(options.settings)) return { tracer: noTracer, parts: [] };
  const { createOtelTracer, otlpExporter } = await import("./otel-tracer.ts");
  const protocol = tracesProtocolOf(options.settings);
  const { tracer, part } = createOtelTracer({
    ...options,
    exporter: otlpExporter(protocol),
  });
  options.log.info("tracing.started", { protocol });
  return { tracer, parts: [part] };
}
