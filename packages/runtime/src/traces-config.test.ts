import { expect, test } from "@jest/globals";
import { ConfigError, readConfig, type Env } from "./config.ts";
import {
  asksForTraces,
  tracesConfig,
  tracesProtocolOf,
} from "./traces-config.ts";

const read = (env: Env) => readConfig(env, tracesConfig);
const URL = "http://collector:4318";

test.each<[boolean, Env]>([
  [false, {}],
  [false, { OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" }],
  [true, { OTEL_EXPORTER_OTLP_ENDPOINT: URL }],
  [true, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${URL}/v1/traces` }],
  [true, { OTEL_TRACES_EXPORTER: "otlp" }],
  [false, { OTEL_EXPORTER_OTLP_ENDPOINT: URL, OTEL_TRACES_EXPORTER: "none" }],
  [false, { OTEL_EXPORTER_OTLP_ENDPOINT: URL, OTEL_SDK_DISABLED: "True" }],
  [true, { OTEL_EXPORTER_OTLP_ENDPOINT: URL, OTEL_SDK_DISABLED: "1" }],
])("traces are asked for: %s, with %j", (isAsked, env) => {
  expect(asksForTraces(read(env))).toBe(isAsked);
});

test.each<[string, Env]>([
  ["OTEL_EXPORTER_OTLP_ENDPOINT", { OTEL_EXPORTER_OTLP_ENDPOINT: "c:4317" }],
  ["OTEL_TRACES_EXPORTER", { OTEL_TRACES_EXPORTER: "zipkin" }],
  [
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    { OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
  ],
  [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    { OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "x" },
  ],
  [
    "OTEL_TRACES_SAMPLER",
    { OTEL_TRACES_EXPORTER: "otlp", OTEL_TRACES_SAMPLER: "ratio" },
  ],
  [
    "OTEL_TRACES_SAMPLER_ARG",
    {
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_TRACES_SAMPLER: "traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0,1",
    },
  ],
])("a value of %s that cannot be followed is refused by name", (name, env) => {
  expect(() => read(env)).toThrow(ConfigError);
  expect(() => read(env)).toThrow(name);
});

test("a protocol for other programs refuses nothing while traces are off, or have a protocol of their own", () => {
  const grpc = { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
  const own = {
    OTEL_EXPORTER_OTLP_ENDPOINT: URL,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
  };

  expect(asksForTraces(read(grpc))).toBe(false);
  expect(tracesProtocolOf(read({ ...grpc, ...own }))).toBe("http/json");
  expect(tracesProtocolOf(read({}))).toBe("http/protobuf");
});
