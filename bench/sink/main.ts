/**
 * The sink: answers every request with the same bytes, counts unique webhook-ids with the time of each one's first byte, and
 * keeps one request in a hundred. It talks to the harness over IPC: `reset`, `count`, `report`. A body that begins with
 * `{"fail":N,` is refused with 409 (which opens no circuit breaker) the first N times that its id comes. With `--log` it also keeps the id, time and body
 * hash of every request.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { failuresAsked } from "./failures.ts";
import { headerOf, requestReader } from "./request-reader.ts";
import type {
  LoggedRequest,
  SampledRequest,
  SinkAnswer,
  SinkQuestion,
} from "./protocol.ts";

const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const REFUSAL = Buffer.from(
  "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\nno",
);
const SAMPLE_EVERY = 100;
const isLogging = process.argv.includes("--log");

/** By id: when its first request came, in µs of the machine's monotonic clock. */
let firstSeen = new Map<string, number>();
/** By id: how often it was refused. */
let refused = new Map<string, number>();
let sample: SampledRequest[] = [];
let log: LoggedRequest[] = [];
let requests = 0;

const server = createServer({ noDelay: true }, (socket) => {
  let at = 0;
  const read = requestReader((head, body) => {
    requests += 1;
    const id = headerOf(head, "webhook-id");
    if (!firstSeen.has(id)) firstSeen.set(id, at);
    if (requests % SAMPLE_EVERY === 0)
      sample.push({ head, body: Buffer.from(body) });
    if (isLogging)
      log.push({
        id,
        timestamp: headerOf(head, "webhook-timestamp"),
        signature: headerOf(head, "webhook-signature"),
        atMicros: at,
        bodyHash: createHash("sha256").update(body).digest("base64url"),
      });
    socket.write(isRefused(id, body) ? REFUSAL : ANSWER);
  });
  socket.on("data", (chunk) => {
    at = nowMicros();
    read(chunk);
  });
  // A sender that is killed resets its connections, which is expected.
  socket.on("error", () => socket.destroy());
});

process.on("message", (question: SinkQuestion) => {
  if (question.kind === "reset") {
    firstSeen = new Map();
    refused = new Map();
    sample = [];
    log = [];
    requests = 0;
  }
  const counted = { unique: firstSeen.size, requests };
  if (question.kind === "report") {
    const ids = [...firstSeen.keys()];
    const seenAtMicros = Float64Array.from(firstSeen.values());
    answer({ kind: "report", ...counted, ids, seenAtMicros, sample, log });
  } else answer({ kind: "count", ...counted });
});
process.on("disconnect", () => server.close());

// Listens on this address and not on a name such as `localhost`, because senders connect to 127.0.0.1.
server.listen(0, "127.0.0.1", 4096, () => {
  const address = server.address();
  const port =
    address !== null && typeof address === "object" ? address.port : 0;
  answer({ kind: "listening", port });
});

function isRefused(id: string, body: Buffer): boolean {
  const asked = failuresAsked(body);
  if (asked === 0) return false;
  const count = refused.get(id) ?? 0;
  if (count >= asked) return false;
  refused.set(id, count + 1);
  return true;
}

function answer(message: SinkAnswer): void {
  process.send?.(message);
}

/** All processes of this machine read the same clock. */
function nowMicros(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + nanos / 1e3;
}
