/** One trace from the publisher to the receiver, by the services as processes; their spans come over OTLP. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { newKeys, startServices, type RunningServices } from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import {
  startOtlpReceiver,
  startReceiver,
  useStack,
  type OtlpReceiver,
  type OtlpSpan,
  type ReceivedRequest,
  type Receiver,
} from "@postrider/testkit";

const TIERS = "1s";
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SAMPLED = "0af7651916cd43dd8448eb211c80319c";
const UNSAMPLED = "1af7651916cd43dd8448eb211c80319c";
/** Generous, because the machine may be busy with other work. */
const PATIENCE = { timeoutMs: 60_000 };

const stack = useStack();
const { prefix } = stack;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-traces-"));
let otlp: OtlpReceiver;
let receiver: Receiver;
let running: RunningServices;

/** The requests of one event, in the order of their arrival. */
const requestsOf = (eventId: string): ReceivedRequest[] =>
  receiver.requests.filter(({ headers }) => headers["x-event"] === eventId);

/** The services' spans are read once, after their stop: so the test also shows that a stop sends the last ones. */
beforeAll(async () => {
  otlp = await startOtlpReceiver();
  receiver = await startReceiver({
    answer: ({ headers }) =>
      headers["x-event"] === "from-kafka" &&
      requestsOf("from-kafka").length === 1
        ? 500
        : 200,
  });
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  running = await startServices({
    ...stack.forServices,
    services: ["ingest", "dispatcher", "retry-scheduler"],
    ...newKeys(),
    adminKey: "admin",
    logDirectory,
    readyTimeoutMs: 120_000,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    },
  });
  await publish("from-kafka", {
    traceparent: `00-${SAMPLED}-b7ad6b7169203331-01`,
    tracestate: "congo=t61rcWkgMzE",
  });
  await publish("unsampled", {
    traceparent: `00-${UNSAMPLED}-b7ad6b7169203331-00`,
  });
  await post("from-http");
  await receiver.waitForRequests(4, PATIENCE);
  await running.stop();
}, 200_000);
afterAll(async () => {
  await running?.stop();
  await receiver?.close();
  await otlp?.close();
  rmSync(logDirectory, { recursive: true, force: true });
});

const eventOf = (id: string): Record<string, unknown> => ({
  id,
  type: "order.paid",
  tenantId: "acme",
  payload: {},
  headers: { "x-event": id },
  destination: {
    url: `${receiver.url}/hook?key=hidden`,
    secret: SECRET,
    retryDelaysMs: [1_000],
  },
});

/** As a publisher with a Kafka client that has tracing. */
async function publish(
  id: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const producer = await stack.kafka().createProducer();
  await producer.sendBatch([
    {
      topic: `${prefix}events`,
      partition: 0,
      key: Buffer.from(id),
      value: Buffer.from(JSON.stringify(eventOf(id))),
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [
          name,
          Buffer.from(text),
        ]),
      ),
    },
  ]);
  await producer.disconnect();
}

async function post(id: string): Promise<void> {
  const response = await fetch(`${running.ingestUrl}/v1/events`, {
    method: "POST",
    headers: {
      authorization: "Bearer admin",
      "content-type": "application/json",
    },
    body: JSON.stringify(eventOf(id)),
  });
  expect(response.status).toBe(202);
}

const inTrace = (traceId: string): OtlpSpan[] =>
  otlp.spans.filter((span) => span.traceId === traceId);

const childrenOf = (span: OtlpSpan | undefined): OtlpSpan[] =>
  otlp.spans.filter(({ parentSpanId }) => parentSpanId === span?.spanId);

const traceparentOf = (span: OtlpSpan | undefined): string =>
  `00-${span?.traceId}-${span?.spanId}-01`;

const attemptNumberOf = ({ attributes }: OtlpSpan): number =>
  Number(attributes["postrider.attempt.number"]);

test("a publisher's trace goes through route, a failed attempt and its retry to the receiver's requests", () => {
  const route = inTrace(SAMPLED).find(
    ({ parentSpanId }) => parentSpanId === "b7ad6b7169203331",
  );
  const attempts = childrenOf(route).toSorted(
    (a, b) => attemptNumberOf(a) - attemptNumberOf(b),
  );
  const requests = attempts.flatMap(childrenOf);

  expect(inTrace(SAMPLED)).toHaveLength(5);
  expect(route).toMatchObject({
    service: "postrider-ingest",
    name: `process ${prefix}events`,
    kind: "consumer",
    traceState: "congo=t61rcWkgMzE",
    isError: false,
    attributes: {
      "messaging.system": "kafka",
      "postrider.event.id": "from-kafka",
      "postrider.decision": "routed",
    },
  });
  const attempt = {
    service: "postrider-dispatcher",
    name: `process ${prefix}deliveries`,
    kind: "consumer",
  };
  expect(attempts).toMatchObject([
    {
      ...attempt,
      isError: true,
      links: [],
      attributes: {
        "postrider.outcome": "http_error",
        "postrider.disposition": "retry",
        "postrider.tier": "1s",
      },
    },
    {
      ...attempt,
      isError: false,
      links: [{ traceId: SAMPLED, spanId: attempts[0]?.spanId }],
      attributes: {
        "postrider.outcome": "delivered",
        "postrider.disposition": "done",
      },
    },
  ]);
  expect(requests).toMatchObject([
    {
      name: "POST",
      kind: "client",
      isError: true,
      attributes: { "error.type": "500" },
    },
    { name: "POST", kind: "client", isError: false },
  ]);
  const received = requestsOf("from-kafka").map(({ headers }) => [
    headers["traceparent"],
    headers["tracestate"],
  ]);
  expect(received).toEqual(
    requests.map((span) => [traceparentOf(span), "congo=t61rcWkgMzE"]),
  );
});

test("an event without a trace begins one at the door", () => {
  const [received] = requestsOf("from-http");
  const traceId = received?.headers["traceparent"]?.split("-")[1] ?? "";
  const chain = inTrace(traceId).filter(
    ({ parentSpanId }) => parentSpanId === "",
  );
  for (const span of chain) chain.push(...childrenOf(span));

  expect(chain.map(({ name }) => name)).toEqual([
    "POST /v1/events",
    `send ${prefix}events`,
    `process ${prefix}events`,
    `process ${prefix}deliveries`,
    "POST",
  ]);
  expect(received?.headers["traceparent"]).toBe(traceparentOf(chain.at(-1)));
});

test("a trace that its publisher does not sample makes no spans, and reaches the receiver unsampled", () => {
  const [received] = requestsOf("unsampled");

  expect(received?.headers["traceparent"]).toMatch(
    new RegExp(`^00-${UNSAMPLED}-[0-9a-f]{16}-00$`),
  );
  expect(received?.headers["tracestate"]).toBeUndefined();
  expect(inTrace(UNSAMPLED)).toEqual([]);
});

test("no span has a payload, a secret or a URL's query", () => {
  const text = JSON.stringify(otlp.spans);

  expect(text).not.toContain("hidden");
  expect(text).not.toContain("/hook");
  expect(text).not.toContain(SECRET);
});
