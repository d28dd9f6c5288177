/**
 * The unruly sink: one port for each misbehaviour of its arguments, well or as unruly as its name says, for all ports at once. Told to
 * change, it cuts all connections, as a receiver that is restarted does. It counts the unique webhook-ids of whole requests, however it answered
 * them, and begins well. A port whose misbehaviour is one of TLS is never well. Questions over IPC: those of the sink, and `turn`.
 */
import type { Socket } from "node:net";
import {
  MISBEHAVIOURS,
  OK,
  saying,
  startRawReceiver,
  type MisbehaviourName,
} from "@postrider/testkit";
import { headerOf } from "./request-reader.ts";
import type { SinkAnswer, UnrulyQuestion } from "./protocol.ts";

const names = process.argv.slice(2) as MisbehaviourName[]; // the harness passes names of testkit
const well = saying(OK);
const open = new Set<Socket>();
let ids = new Set<string>();
let requests = 0;
let isWell = true;

const receivers = await Promise.all(
  names.map((name) => {
    const { behave, tls } = MISBEHAVIOURS[name];
    return startRawReceiver(
      (connection) => {
        const { socket } = connection;
        open.add(socket);
        socket.once("close", () => open.delete(socket));
        return (isWell ? well : behave)(connection);
      },
      { tls: tls?.(), keepsBytes: false, onRequest: count },
    );
  }),
);

process.on("message", (question: UnrulyQuestion) => {
  if (question.kind === "reset") {
    ids = new Set();
    requests = 0;
  }
  if (question.kind === "turn") {
    isWell = question.isWell;
    for (const socket of open) socket.destroy();
  }
  const counted = { unique: ids.size, requests, underWayMs: 0 };
  if (question.kind === "report")
    answer({
      kind: "report",
      ...counted,
      ids: [...ids],
      seenAtMicros: new Float64Array(),
      sample: [],
      log: [],
      mostAtOnce: new Map(),
    });
  else answer({ kind: "count", ...counted });
});
process.on("disconnect", () => {
  for (const receiver of receivers) void receiver.close();
});
answer({ kind: "listening", ports: receivers.map(({ port }) => port) });

function count(request: Buffer): void {
  requests += 1;
  const head = request.toString("latin1", 0, request.indexOf("\r\n\r\n"));
  ids.add(headerOf(head, "webhook-id"));
}

function answer(message: SinkAnswer): void {
  process.send?.(message);
}
