/** OpenTelemetry's variables that decide whether, how and which spans leave. The SDK reads these and all others by itself; here a mistake in them is reported, which the SDK does nowhere. */
import { text, url } from "./config-parsers.ts";
import type { ConfigEntry, ConfigOf, Parse } from "./config.ts";

export const TRACES_PROTOCOLS = ["http/protobuf", "http/json"] as const;
export type TracesProtocol = (typeof TRACES_PROTOCOLS)[number];

const RATIO_SAMPLERS = ["traceidratio", "parentbased_traceidratio"];
const SAMPLERS = [
  "always_on",
  "always_off",
  "parentbased_always_on",
  "parentbased_always_off",
  ...RATIO_SAMPLERS,
];

/** By the specification, any other value than `true` means false. */
const otelBoolean: Parse<boolean> = Object.assign(
  (value: string) => value.trim().toLowerCase() === "true",
  { expects: "true or false", schema: { type: "boolean" } },
);

/** Any text: whether it is known is asked later, and only if traces are on. */
const word = (expects: string): Parse<string> =>
  Object.assign((value: string) => text(value), { expects });

const protocol = word(`one of ${TRACES_PROTOCOLS.join(", ")}`);

/** Spread into the spec of a service that makes spans. */
export const tracesConfig = {
  otelDisabled: {
    env: "OTEL_SDK_DISABLED",
    parse: otelBoolean,
    default: "false",
    doc: "Whether traces are off, whatever else is set.",
  },
  otelTracesExporter: {
    env: "OTEL_TRACES_EXPORTER",
    parse: word("otlp or none"),
    default: null,
    check: (values) => refused(values, "otelTracesExporter", ["otlp", "none"]),
    doc: "`none` turns traces off; `otlp` turns them on without an endpoint, too, and then sends to http://localhost:4318.",
  },
  otelEndpoint: {
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    parse: url,
    default: null,
    doc: "Turns traces on: the OTLP receiver's address, to which `/v1/traces` is added. [traces.md](traces.md)",
  },
  otelTracesEndpoint: {
    env: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    parse: url,
    default: null,
    doc: "Turns traces on: the whole address to which spans are sent. Goes before the other.",
  },
  otelProtocol: {
    env: "OTEL_EXPORTER_OTLP_PROTOCOL",
    parse: protocol,
    default: null,
    // The one for traces goes before this one, which may be meant for other programs.
    check: (values) =>
      values["otelTracesProtocol"] === null
        ? refused(values, "otelProtocol", TRACES_PROTOCOLS)
        : null,
    doc: "How spans are written; `http/protobuf` without it.",
  },
  otelTracesProtocol: {
    env: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    parse: protocol,
    default: null,
    check: (values) => refused(values, "otelTracesProtocol", TRACES_PROTOCOLS),
    doc: "The same for spans alone. Goes before the other.",
  },
  otelSampler: {
    env: "OTEL_TRACES_SAMPLER",
    parse: word(`one of ${SAMPLERS.join(", ")}`),
    default: "parentbased_always_on",
    check: (values) => refused(values, "otelSampler", SAMPLERS),
    doc: "Which traces are kept. By default those that their publisher keeps, and all that begin here.",
  },
  otelSamplerArg: {
    env: "OTEL_TRACES_SAMPLER_ARG",
    parse: word("a number from 0 to 1"),
    default: null,
    check: refusedRatio,
    doc: "Which part of the traces a sampler by ratio keeps.",
  },
} as const satisfies Record<string, ConfigEntry>;

export type TracesSettings = ConfigOf<typeof tracesConfig>;

/** Whether these settings ask for traces. A service without such settings never does. */
export function asksForTraces(settings: Partial<TracesSettings>): boolean {
  const { otelDisabled, otelTracesExporter } = settings;
  if (otelDisabled === true || otelTracesExporter === "none") return false;
  const asked = [
    otelTracesExporter,
    settings.otelEndpoint,
    settings.otelTracesEndpoint,
  ];
  return asked.some((each) => each != null);
}

export function tracesProtocolOf(
  settings: Partial<TracesSettings>,
): TracesProtocol {
  const asked = settings.otelTracesProtocol ?? settings.otelProtocol;
  return TRACES_PROTOCOLS.find((each) => each === asked) ?? "http/protobuf";
}

/** Refuses a value that is not one of `known`. While traces are off it does not matter, because it may be meant for other programs. */
function refused(
  values: Readonly<Record<string, unknown>>,
  name: string,
  known: readonly string[],
): string | null {
  const value = values[name];
  if (typeof value !== "string" || known.includes(value)) return null;
  // readConfig has read them by the entries above
  if (!asksForTraces(values as Partial<TracesSettings>)) return null;
  return `must be one of ${known.join(", ")}; got ${JSON.stringify(value)}`;
}

/** The SDK would take a ratio that it cannot read for 1, and keep everything. */
function refusedRatio(
  values: Readonly<Record<string, unknown>>,
): string | null {
  const { otelSampler, otelSamplerArg: ratio } = values;
  const isUsed = RATIO_SAMPLERS.some((each) => each === otelSampler);
  // readConfig has read them by the entries above
  if (!isUsed || !asksForTraces(values as Partial<TracesSettings>)) return null;
  const isRatio =
    typeof ratio === "string" && /^(0(\.\d+)?|1(\.0+)?)$/.test(ratio);
  if (isRatio) return null;
  const got = ratio === null ? "it is not set" : `got ${JSON.stringify(ratio)}`;
  return `must be a number from 0 to 1 with this OTEL_TRACES_SAMPLER; ${got}`;
}
