import type { Tracer } from "./effects.ts";

/** The tracer of a process without tracing. Its `start` throws, so that no caller makes spans unnoticed. */
export const noTracer: Tracer = {
  isOn: false,
  start(name) {
    throw new Error(`the span ${name} was started without tracing`);
  },
};
