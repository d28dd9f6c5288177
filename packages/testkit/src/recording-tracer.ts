import type {
  Span,
  SpanAttributes,
  SpanOptions,
  Tracer,
} from "@postrider/runtime";

/** A span that a test reads. `context` is what the code under test was given. */
export interface RecordedSpan {
  readonly name: string;
  readonly options: SpanOptions;
  readonly context: Span["context"];
  readonly attributes: SpanAttributes;
  readonly error: {
    readonly type: string;
    readonly message: string | null;
  } | null;
  readonly isEnded: boolean;
}

export interface RecordingTracer extends Tracer {
  /** In the order in which they began. */
  readonly spans: readonly RecordedSpan[];
  /** The only span of this name. Throws if there is none, or more than one. */
  spanOf(name: string): RecordedSpan;
}

/** A tracer that keeps its spans. A span stays in its parent's trace, and is sampled unless `isSampled` is false. Ids count from 1. */
export function recordingTracer({ isSampled = true } = {}): RecordingTracer {
  const spans: RecordedSpan[] = [];
  const hex = (length: number): string =>
    (spans.length + 1).toString(16).padStart(length, "0");
  return {
    isOn: true,
    spans,
    spanOf(name) {
      const [found, ...others] = spans.filter((span) => span.name === name);
      if (found === undefined || others.length > 0)
        throw new Error(
          `expected one span ${name}, got ${spans.map((span) => span.name).join(", ")}`,
        );
      return found;
    },
    start(name, options) {
      const { traceparent, tracestate } = options.parent;
      const traceId = traceparent?.slice(3, 35) ?? hex(32);
      const recorded: Writable<RecordedSpan> = {
        name,
        options,
        context: {
          traceparent: `00-${traceId}-${hex(16)}-0${isSampled ? 1 : 0}`,
          tracestate,
        },
        attributes: options.attributes,
        error: null,
        isEnded: false,
      };
      spans.push(recorded);
      return {
        context: recorded.context,
        isSampled,
        set(attributes) {
          recorded.attributes = { ...recorded.attributes, ...attributes };
        },
        fail(type, message) {
          recorded.error = { type, message: message ?? null };
        },
        end() {
          recorded.isEnded = true;
        },
      };
    },
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
