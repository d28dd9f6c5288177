/** A receiver of OTLP over HTTP with JSON bodies: keeps every span that comes. */
import { startReceiver } from "./receiver.ts";

export interface OtlpSpan {
  /** `service.name` of the process. */
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
  }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** In the order of their arrival: a span comes after it has ended, so behind its children. */
  readonly spans: readonly OtlpSpan[];
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: OtlpSpan[] = [];
  const receiver = await startReceiver({
    keepsRequests: false,
    answer: ({ path, headers, body }) => {
      if (
        path !== "/v1/traces" ||
        headers["content-type"] !== "application/json"
      )
        return 415;
      spans.push(...spansIn(JSON.parse(body.toString()) as Exported));
      return { headers: { "content-type": "application/json" }, body: "{}" };
    },
  });
  return {
    url: receiver.url,
    spans,
    close: () => receiver.close(),
  };
}

/** What OTLP's JSON form says, as far as it is read here. */
interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { traceId: string; spanId: string }[];
  readonly status?: { readonly code?: number };
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** By their numbers in OTLP. */
const KINDS = [
  "internal",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
] as const;
const ERROR = 2;

function spansIn({ resourceSpans }: Exported): OtlpSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)["service.name"]);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((raw): OtlpSpan => ({
        service,
        name: raw.name,
        traceId: raw.traceId,
        spanId: raw.spanId,
        parentSpanId: raw.parentSpanId ?? "",
        traceState: raw.traceState ?? "",
        kind: KINDS[raw.kind] ?? "internal",
        links: (raw.links ?? []).map(({ traceId, spanId }) => ({
          traceId,
          spanId,
        })),
        attributes: valuesOf(raw.attributes),
        isError: raw.status?.code === ERROR,
        startedAt: Number(raw.startTimeUnixNano) / 1e6,
        endedAt: Number(raw.endTimeUnixNano) / 1e6,
      })),
    );
  });
}

/** A value is an object with one member, whose name is the value's type. */
function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}
