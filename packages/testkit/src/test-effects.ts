import {
  createMeter,
  noTracer,
  systemClock,
  type Clock,
  type Effects,
  type Log,
  type LogFields,
  type Tracer,
} from "@postrider/runtime";

export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

export interface RecordingLog extends Log {
  readonly lines: readonly LoggedLine[];
  /** The logged lines of one event name. */
  of(event: string): LoggedLine[];
}

export interface TestEffects extends Effects {
  readonly log: RecordingLog;
  readonly meter: ReturnType<typeof createMeter>;
}

/** Effects for tests: a log that prints nothing and keeps its lines, a real meter, the machine's clock unless another is given, and no tracing unless a tracer is given. */
export function testEffects(
  options: { readonly clock?: Clock; readonly tracer?: Tracer } = {},
): TestEffects {
  return {
    log: recordingLog(),
    meter: createMeter({ service: "test" }),
    clock: options.clock ?? systemClock,
    tracer: options.tracer ?? noTracer,
  };
}

export function recordingLog(): RecordingLog {
  const lines: LoggedLine[] = [];
  const at =
    (level: LoggedLine["level"]) =>
    (event: string, fields: LogFields = {}): void =>
      void lines.push({ level, event, fields });
  return {
    lines,
    of: (event) => lines.filter((line) => line.event === event),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
