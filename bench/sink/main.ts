/**
 * The sink: answers every request with the same bytes, counts unique webhook-ids with the time of each first byte, and
 * keeps one request in a hundred. It speaks to the harness over IPC: `reset`, `count`, `report`.
 */
import { createServer } from "node:net";
import { headerOf, requestReader } from "./request-reader.ts";
import type { SampledRequest, SinkAnswer, SinkQuestion } from "./protocol.ts";

const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const SAMPLE_EVERY = 100;

/** Id → when its first request came, µs of the machine's monotonic clock. */
let firstSeen = new Map<string, number>();
let sample: SampledRequest[] = [];
let requests = 0;

const server = createServer({ noDelay: true }, (socket) => {
  let at = 0;
  const read = requestReader((head, body) => {
    requests += 1;
    const id = headerOf(head, "webhook-id");
    if (!firstSeen.has(id)) firstSeen.set(id, at);
    if (requests % SAMPLE_EVERY === 0)
      sample.push({ head, body: Buffer.from(body) });
    socket.write(ANSWER);
  });
  socket.on("data", (chunk) => {
    at = nowMicros();
    read(chunk);
  });
  // A sender that is killed resets its connections: nothing to say about that.
  socket.on("error", () => socket.destroy());
});

process.on("message", (question: SinkQuestion) => {
  if (question.kind === "reset") {
    firstSeen = new Map();
    sample = [];
    requests = 0;
  }
  const counted = { unique: firstSeen.size, requests };
  if (question.kind === "report") {
    const ids = [...firstSeen.keys()];
    const seenAtMicros = Float64Array.from(firstSeen.values());
    answer({ kind: "report", ...counted, ids, seenAtMicros, sample });
  } else answer({ kind: "count", ...counted });
});
process.on("disconnect", () => server.close());

// Listening by number of port: the senders know it as 127.0.0.1.
server.listen(0, "127.0.0.1", 4096, () => {
  const address = server.address();
  const port =
    address !== null && typeof address === "object" ? address.port : 0;
  answer({ kind: "listening", port });
});

function answer(message: SinkAnswer): void {
  process.send?.(message);
}

/** The same clock in every process of this machine. */
function nowMicros(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + nanos / 1e3;
}
