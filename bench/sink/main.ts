/**
 * The sink: answers every request with the same bytes, counts unique webhook-ids with the time of each one's first byte, and
 * keeps one request in a hundred. It talks to the harness over IPC: `reset`, `count`, `report`, and `shut` and `open`, between which
 * it refuses connections. A body that begins with
 * `{"fail":N,` is refused with 409 (which opens no circuit breaker) the first N times that its id comes; between `refuse` and `accept` every
 * body is. With `--log` it also keeps the id, time and body hash of every request. With `--answer-after MS` it answers later, and counts how many requests of a path are under way. It listens on
 * `--ports COUNT` ports (default: 1), any that are free or those from `--port FIRST` on.
 */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { failuresAsked } from "./failures.ts";
import { listen } from "./listeners.ts";
import { headerOf, requestReader } from "./request-reader.ts";
import type {
  LoggedRequest,
  SampledRequest,
  SinkAnswer,
  SinkQuestion,
} from "./protocol.ts";
import { UnderWay } from "./under-way.ts";

const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const REFUSAL = Buffer.from(
  "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\nno",
);
const SAMPLE_EVERY = 100;
const { values: options } = parseArgs({
  options: {
    log: { type: "boolean", default: false },
    "answer-after": { type: "string", default: "0" },
    port: { type: "string", default: "0" },
    ports: { type: "string", default: "1" },
  },
});
const isLogging = options.log;
const answerAfterMs = Number(options["answer-after"]);

/** By id: when its first request came, in µs of the machine's monotonic clock. */
let firstSeen = new Map<string, number>();
/** By id: how often it was refused. */
let refused = new Map<string, number>();
let sample: SampledRequest[] = [];
let log: LoggedRequest[] = [];
let requests = 0;
const underWay = new UnderWay();
/** What comes while the sink is shut is not read: a request that was counted is always answered. */
let isShut = false;
/** Every request is refused. */
let isRefusing = false;

function accept(socket: Socket): void {
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
    const bytes = isRefused(id, body) ? REFUSAL : ANSWER;
    if (answerAfterMs === 0) socket.write(bytes);
    else answerLater(socket, head, bytes);
  });
  socket.on("data", (chunk) => {
    at = nowMicros();
    if (!isShut) read(chunk);
  });
  // A sender that is killed resets its connections, which is expected.
  socket.on("error", () => socket.destroy());
}

const first = Number(options.port);
const listeners = await listen({ first, count: Number(options.ports) }, accept);

process.on("message", (question: SinkQuestion) => void reply(question));
process.on("disconnect", () => void listeners.shut(() => Promise.resolve()));
answer({ kind: "listening", ports: listeners.ports });

async function reply(question: SinkQuestion): Promise<void> {
  if (question.kind === "shut") {
    isShut = true;
    // An answer is due before a time-out that is set now.
    await listeners.shut(() => sleep(answerAfterMs + 1));
  }
  if (question.kind === "open") {
    isShut = false;
    await listeners.open();
  }
  if (question.kind === "refuse") isRefusing = true;
  if (question.kind === "accept") isRefusing = false;
  if (question.kind === "reset") {
    firstSeen = new Map();
    refused = new Map();
    sample = [];
    log = [];
    requests = 0;
    underWay.reset();
  }
  const underWayMs = underWay.totalMs;
  const counted = { unique: firstSeen.size, requests, underWayMs };
  if (question.kind === "report") {
    const ids = [...firstSeen.keys()];
    const seenAtMicros = Float64Array.from(firstSeen.values());
    const seen = { ids, seenAtMicros, sample, log, mostAtOnce: underWay.most };
    answer({ kind: "report", ...counted, ...seen });
  } else answer({ kind: "count", ...counted });
}

function answerLater(socket: Socket, head: string, bytes: Buffer): void {
  const path = head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/"));
  const beganAt = performance.now();
  underWay.began(path);
  setTimeout(() => {
    underWay.ended(path, performance.now() - beganAt);
    socket.write(bytes);
  }, answerAfterMs);
}

function isRefused(id: string, body: Buffer): boolean {
  if (isRefusing) return true;
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
