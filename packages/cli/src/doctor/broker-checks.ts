/** Whether each broker's name is known, its port open and its certificate good, before any Kafka client asks. */
import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { tlsOf, type KafkaConfig } from "@postrider/runtime";
import { EXIT, reasonOf } from "../cli-error.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";

const WITHIN_MS = 5_000;
const DAY_MS = 86_400_000;
/** A certificate that ends within this time is a warning. */
const ENDS_SOON_DAYS = 21;

export async function brokerChecks(
  config: Pick<KafkaConfig, "kafkaBrokers"> & Partial<KafkaConfig>,
): Promise<Finding[]> {
  return await Promise.all(
    config.kafkaBrokers.map((broker) => checkBroker(broker, config)),
  );
}

async function checkBroker(
  broker: string,
  config: Partial<KafkaConfig>,
): Promise<Finding> {
  const check = `broker ${broker}`;
  const colon = broker.lastIndexOf(":");
  const host = broker.slice(0, colon).replace(/^\[|\]$/g, "");
  const at = { host, port: Number(broker.slice(colon + 1)) };
  try {
    if (isIP(host) === 0) await lookup(host);
  } catch (error) {
    return failed(
      check,
      `its name cannot be resolved: ${reasonOf(error)}`,
      "Correct KAFKA_BROKERS, or this machine's DNS.",
      EXIT.unreachable,
    );
  }
  try {
    if (config.kafkaTls !== true) {
      (await opened(connect(at), "connect")).destroy();
      return fine(check, "its port is open");
    }
    const socket = await opened(
      connectTls({
        ...at,
        ...(isIP(host) === 0 && { servername: host }),
        ...tlsOf(config),
      }),
      "secureConnect",
    );
    const ends = Date.parse(socket.getPeerCertificate().valid_to);
    socket.destroy();
    return judgeEnd(check, ends, Date.now());
  } catch (error) {
    return failed(
      check,
      reasonOf(error),
      config.kafkaTls === true
        ? "Is KAFKA_TLS_CA the authority of this certificate, and does this port speak TLS? See docs/security.md."
        : "Is it running, and is the port open from here?",
      EXIT.unreachable,
    );
  }
}

/** `ends` and `now` in epoch milliseconds. */
export function judgeEnd(check: string, ends: number, now: number): Finding {
  const date = new Date(ends).toISOString().slice(0, 10);
  const days = Math.floor((ends - now) / DAY_MS);
  return days < ENDS_SOON_DAYS
    ? warning(
        check,
        `its certificate ends in ${days} days, on ${date}`,
        "Renew the broker's certificate.",
      )
    : fine(check, `TLS, certificate until ${date}`);
}

async function opened<S extends Socket | TLSSocket>(
  socket: S,
  event: "connect" | "secureConnect",
): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.setTimeout(WITHIN_MS, () =>
    reject(new Error(`no answer within ${WITHIN_MS / 1000} s`)),
  );
  socket.once(event, resolve).on("error", reject);
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
