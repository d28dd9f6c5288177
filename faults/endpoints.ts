/** The endpoints of every case, and how a receiver behaves for each. They are written to the topic as control would write them, and all services read them. */
import { secretAad, type Endpoint } from "@postrider/core";
import {
  createSchemas,
  partitionOf,
  topicName,
  type Kafka,
} from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import {
  anEndpoint,
  testEffects,
  type Answer,
  type ReceivedRequest,
} from "@postrider/testkit";

export const TENANT = "acme";
export const SECRET = "whsec_ZmF1bHRzIGFyZSB3aGF0IHdlIGxvb2sgZm9yIQ==";
export const KEY = { kid: "k1", key: Buffer.alloc(32, 7) };

/** Each answers its first request with 410, of which the dispatcher makes a signal; then it gets no more from that process. */
export const GONE = [
  "gone0",
  "gone1",
  "gone2",
  "gone3",
  "gone4",
  "gone5",
  "gone6",
  "gone7",
] as const;

/** The behaviours. The name is also the endpoint's path at the receiver and the last part of its event type. */
export const BEHAVIOURS = [
  "healthy0",
  "healthy1",
  "healthy2",
  "healthy3",
  "flaky",
  "dead",
  "blackhole",
  "outage",
  "limited",
  ...GONE,
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

const RETRIES: Readonly<Record<string, readonly number[]>> = {
  flaky: [200, 500, 700, 1000, 1000],
  dead: [200, 300],
  blackhole: [200],
  // Enough for a delivery that is a probe again and again.
  outage: [200, 500, ...Array.from({ length: 18 }, () => 1000)],
};
/** The rate limit of the endpoint `limited`. Events reach it only in the case `rate-limited`. */
export const LIMIT = { perSecond: 50, burst: 20 };

const HEALTHY_RETRIES = [200, 500, 1000, 1000, 1000, 1000];

export interface EndpointOptions {
  readonly receiverUrl: string;
  readonly blackholeTimeoutMs?: number | undefined;
  /** The number of partitions of the topic `endpoints`. */
  readonly partitions: number;
}

export function endpointIdOf(behaviour: Behaviour): string {
  return `ep_${behaviour.padEnd(24, "0")}`;
}

/** The endpoint of one behaviour at this receiver. */
function endpointOf(
  behaviour: Behaviour,
  { receiverUrl, blackholeTimeoutMs = 1_000 }: EndpointOptions,
): Endpoint {
  const id = endpointIdOf(behaviour);
  const secretId = `sec_${behaviour}`;
  const sealed = createKeyRing([KEY]).seal(
    Buffer.from(SECRET),
    secretAad(TENANT, id, secretId),
  );
  return anEndpoint({
    id,
    tenantId: TENANT,
    url: `${receiverUrl}/${behaviour}`,
    eventTypes: [`load.${behaviour}`],
    secrets: [{ id: secretId, ...sealed, createdAt: 0, expiresAt: null }],
    timeoutMs: behaviour === "blackhole" ? blackholeTimeoutMs : 15_000,
    maxConcurrency: 200,
    rateLimit: behaviour === "limited" ? LIMIT : null,
    retryDelaysMs: RETRIES[behaviour] ?? HEALTHY_RETRIES,
  });
}

/** Writes the endpoints to `endpoints`, and our schemas to `schemas`. */
export async function writeEndpoints(
  kafka: Kafka,
  prefix: string,
  options: EndpointOptions,
): Promise<void> {
  const schemas = createSchemas({ ...testEffects(), kafka, prefix });
  await schemas.start();
  const producer = await kafka.createProducer();
  try {
    await producer.sendBatch(
      BEHAVIOURS.map((behaviour) => {
        const value = endpointOf(behaviour, options);
        const key = Buffer.from(value.id);
        return {
          topic: topicName(prefix, "endpoints"),
          // As control does: a later version of an endpoint must go to the same partition.
          partition: partitionOf(key, options.partitions),
          key,
          value: schemas.encode({ topic: "endpoints", key: value.id, value }),
        };
      }),
    );
  } finally {
    await producer.disconnect();
    await schemas.stop(Date.now() + 5_000);
  }
}

/** What a case can change in the receivers' answers while it runs. */
export interface Mood {
  /** A delay that is added to each answer of a healthy endpoint. */
  slowMs: number;
  /** The answer of black holes from now on. */
  blackhole: Answer;
  /** The answer of dead endpoints from now on. */
  dead: Answer;
  /** From now on dead endpoints refuse every third webhook-id, once. */
  deadRefuseSome: boolean;
  /** The answer of the endpoint `outage` from now on. Events reach it only in the case `breaker`. */
  outage: Answer;
}

/**
 * Chooses answers: a flaky endpoint refuses the first one or two requests of each webhook-id, a dead one all while it is dead; a healthy one takes
 * a moment. Refusals are 4xx, which are retried but open no breaker: otherwise these endpoints would be asked too rarely.
 */
export function answers(mood: Mood): (request: ReceivedRequest) => Answer {
  const seen = new Map<string, number>();
  const refused = new Set<string>();
  /** Computed from the id, so that it hangs on no order. */
  const isRefused = (id: string): boolean =>
    mood.deadRefuseSome && id.charCodeAt(id.length - 2) % 3 === 0;
  return ({ path, headers }) => {
    const behaviour = path.slice(1);
    const id = headers["webhook-id"] ?? "";
    if (behaviour === "blackhole") return mood.blackhole;
    if (behaviour === "outage") return mood.outage;
    if (behaviour === "dead" && isRefused(id) && !refused.has(id)) {
      refused.add(id);
      return 409;
    }
    if (behaviour === "dead") return mood.dead;
    if (behaviour.startsWith("gone")) return 410;
    // Computed from the id, not random, so that a repeat gets the same delay.
    const delayMs = (id.charCodeAt(id.length - 1) % 8) * 5;
    if (behaviour !== "flaky")
      return { status: 200, delayMs: delayMs + mood.slowMs };
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    const failures = 1 + (id.charCodeAt(id.length - 2) % 2);
    return { status: times <= failures ? 409 : 200, delayMs };
  };
}
