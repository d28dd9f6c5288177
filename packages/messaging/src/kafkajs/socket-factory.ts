/** Makes the sockets of kafkajs clients, and refuses them to silent brokers (docs/kafkajs.md, "A silent broker"). */
import { connect as connectPlain, isIP, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory } from "kafkajs";
import type { Log } from "@postrider/runtime";
import { isAnswering } from "./broker-question.ts";
import { onLateAnswer } from "./patches/request-queue.ts";
import { refusal, SilentBrokers } from "./silent-brokers.ts";

/** By the brokers that the clients were given. */
const knownBrokers = new Map<string, SilentBrokers>();

/** The clients of this process that are given the same brokers share what is known of them: one that starts while a broker is silent need not find that out by itself. */
export function socketFactoryFor(
  brokers: readonly string[],
  log: Log,
): ISocketFactory {
  // kafkajs types it loosely; the value is what `tls.connect` takes.
  let tls: object | undefined;
  const key = brokers.join();
  const known = knownBrokers.get(key) ?? watch();
  return ({ host, port, ssl, onConnect }) => {
    tls = ssl as object | undefined;
    const broker = `${host}:${port}`;
    // kafkajs adds its listeners before the error is emitted.
    if (known.isSilent(broker)) return new Socket().destroy(refusal(broker));
    const socket = open({ host, port, tls, onConnect });
    known.opened(broker, socket);
    return socket;
  };

  function watch(): SilentBrokers {
    const ask = (broker: string): Promise<boolean> => {
      const colon = broker.lastIndexOf(":");
      const host = broker.slice(0, colon);
      const port = Number(broker.slice(colon + 1));
      return isAnswering((onConnect) => open({ host, port, tls, onConnect }));
    };
    const made = new SilentBrokers({ brokers, ask, log });
    knownBrokers.set(key, made);
    onLateAnswer((broker) => made.late(broker));
    return made;
  }
}

/** kafkajs sets keep-alive but leaves Nagle's algorithm on, for which a small commit would wait (docs/kafkajs.md, "Timers and sockets"). */
function open(to: {
  host: string;
  port: number;
  tls: object | undefined;
  onConnect: () => void;
}): Socket {
  const { host, port, tls, onConnect } = to;
  const socket = tls
    ? connectTls(
        { host, port, ...(isIP(host) ? {} : { servername: host }), ...tls },
        onConnect,
      )
    : connectPlain({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  return socket;
}
