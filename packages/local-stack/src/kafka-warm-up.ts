import { findCoordinator, type CoordinatorType } from "./kafka-roles.ts";
import {
  array,
  bytes,
  connectWire,
  flag,
  int16,
  int32,
  text,
  type KafkaWire,
} from "./kafka-wire.ts";
import { waitUntil } from "./wait-until.ts";

const JOIN_GROUP = 11;
const LEAVE_GROUP = 13;
const SYNC_GROUP = 14;
const CREATE_TOPICS = 19;
const DELETE_TOPICS = 20;
const INIT_PRODUCER_ID = 22;

const WARM_UP = "postrider-warm-up";
const TOPIC_ALREADY_EXISTS = 36;

/**
 * Uses the broker once as our clients will: a topic, a group, a transaction. The first use creates Kafka's internal topics
 * and gets retriable errors for a while, which no other client should meet. Returns whether all of it succeeded in time.
 */
export async function warmUpKafka(
  port: number,
  timeoutMs: number,
): Promise<boolean> {
  let wire: KafkaWire | null = null;
  const isWarm = await waitUntil(async () => {
    wire ??= await connectWire(port);
    try {
      return (
        (await createTopic(wire)) &&
        (await atCoordinator(wire, "group", joinAndLeave)) &&
        (await atCoordinator(wire, "transaction", initProducerId))
      );
    } catch (error) {
      wire.close();
      wire = null;
      throw error;
    }
  }, timeoutMs);
  if (isWarm && wire !== null) {
    await (wire as KafkaWire).request(DELETE_TOPICS, 1, [
      int32(1),
      text(WARM_UP),
      int32(5000),
    ]);
  }
  (wire as KafkaWire | null)?.close();
  return isWarm;
}

async function createTopic(wire: KafkaWire): Promise<boolean> {
  const answer = await wire.request(CREATE_TOPICS, 2, [
    array([[text(WARM_UP), int32(1), int16(1), array([]), array([])]]),
    int32(5000),
    flag(false),
  ]);
  answer.int32();
  const [code] = answer.array(() => {
    answer.text();
    const error = answer.int16();
    answer.text();
    return error;
  });
  return code === 0 || code === TOPIC_ALREADY_EXISTS;
}

/** Calls `use` with a connection to the coordinator, which in a cluster may be another broker. */
async function atCoordinator(
  wire: KafkaWire,
  type: CoordinatorType,
  use: (coordinator: KafkaWire) => Promise<boolean>,
): Promise<boolean> {
  const at = await findCoordinator(wire, type, WARM_UP);
  if (at === null) return false;
  const coordinator = await connectWire(at.port);
  try {
    return await use(coordinator);
  } finally {
    coordinator.close();
  }
}

async function joinAndLeave(wire: KafkaWire): Promise<boolean> {
  const joined = await wire.request(JOIN_GROUP, 2, [
    text(WARM_UP),
    int32(10_000),
    int32(10_000),
    text(""),
    text("consumer"),
    array([[text("range"), bytes(Buffer.alloc(0))]]),
  ]);
  joined.int32();
  if (joined.int16() !== 0) return false;
  const generation = joined.int32();
  joined.text();
  joined.text();
  const member = joined.text();
  const synced = await wire.request(SYNC_GROUP, 1, [
    text(WARM_UP),
    int32(generation),
    text(member),
    array([[text(member), bytes(Buffer.alloc(0))]]),
  ]);
  synced.int32();
  const isSynced = synced.int16() === 0;
  await wire.request(LEAVE_GROUP, 1, [text(WARM_UP), text(member)]);
  return isSynced;
}

async function initProducerId(wire: KafkaWire): Promise<boolean> {
  const answer = await wire.request(INIT_PRODUCER_ID, 0, [
    text(WARM_UP),
    int32(60_000),
  ]);
  answer.int32();
  return answer.int16() === 0;
}
