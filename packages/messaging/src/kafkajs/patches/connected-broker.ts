/**
 * For kafkajs 2.2.4 a broker is connected as soon as its socket is, although requests can be made only once the broker has said
 * which versions it knows (ApiVersions). If that answer is late, which on a busy machine it is, the next try finds the broker
 * connected and does not ask again: every request fails with "Broker not connected" for as long as the connection lasts. So a
 * broker is connected only once it has answered (docs/kafkajs.md, "A late first answer").
 */
import { createRequire } from "node:module";

// kafkajs is CommonJS: load it with `require`, so that its inner modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

interface Broker {
  isConnected(): boolean;
  connect(): Promise<void>;
}

/** Brokers that have been connected wholly once: what versions they know is kept. */
const known = new WeakSet<Broker>();

export function registerConnectedBroker(): void {
  const { prototype: broker } = load("kafkajs/src/broker") as {
    prototype: Broker;
  };
  const { isConnected, connect } = broker;
  broker.isConnected = function (this: Broker) {
    return known.has(this) && isConnected.call(this);
  };
  broker.connect = async function (this: Broker) {
    await connect.call(this);
    known.add(this);
  };
}
