// WEBHOOK_SECRETS="whsec_…" node examples/receiving/receive.js
// Node's standard library alone. During a rotation name both secrets, with a space between them.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const MAX_BODY_BYTES = 1_048_576;
const MAX_WAITING = 1_000;
const MAX_REMEMBERED = 10_000;
const TOLERANCE_SECONDS = 300;

function keyOf(secret) {
  // A public key, which everybody knows, must not become the key of an HMAC.
  if (/^wh[ps]k_/.test(secret))
    throw new Error(
      "whpk_ and whsk_ are ed25519 keys: this program verifies HMACs (whsec_) alone.",
    );
  if (!secret.startsWith("whsec_")) return Buffer.from(secret);
  const encoded = secret.slice("whsec_".length);
  // Node skips what is no base64. With the empty key that could be left, anybody can sign.
  if (!/^[A-Za-z0-9+/]{2,}={0,2}$/.test(encoded))
    throw new Error("What follows whsec_ in a secret must be base64.");
  return Buffer.from(encoded, "base64");
}

const keys = (process.env.WEBHOOK_SECRETS ?? "")
  .split(/\s+/)
  .filter(Boolean)
  .map(keyOf);
if (keys.length === 0)
  throw new Error("Set WEBHOOK_SECRETS to the endpoint's secret (whsec_…).");

/** Whether one of the secrets has signed these bytes, a short while ago. */
function isSigned(headers, body) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  // A full stop separates what is signed: with one in the id, other bytes could have the same signature.
  if (id === "" || id.includes(".")) return false;
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  const ageSeconds = Date.now() / 1_000 - Number(timestamp);
  if (Math.abs(ageSeconds) > TOLERANCE_SECONDS) return false;

  const signatures = (headers["webhook-signature"] ?? "")
    .split(" ")
    .map((text) => Buffer.from(text));
  return keys.some((key) => {
    const hmac = createHmac("sha256", key)
      .update(`${id}.${timestamp}.`)
      .update(body);
    const expected = Buffer.from(`v1,${hmac.digest("base64")}`);
    return signatures.some(
      (given) =>
        given.length === expected.length && timingSafeEqual(given, expected),
    );
  });
}

/** In memory, so that the example is short. Yours is a table with the id as its key, which outlives the process. */
const remembered = new Set();
const waiting = [];

/** Keeps a webhook for later. False if there is no room. */
function keep(id, body) {
  if (remembered.has(id)) return true; // it has come before: nothing to do
  if (waiting.length >= MAX_WAITING) return false;
  waiting.push({ id, body });
  remembered.add(id);
  if (remembered.size > MAX_REMEMBERED)
    remembered.delete(remembered.values().next().value);
  setImmediate(work);
  return true;
}

function work() {
  const { id, body } = waiting.shift();
  console.log(`${id} ${body.toString()}`); // your work, after the answer
}

/** The raw bytes; null if there are too many. */
async function bodyOf(request) {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES)
    return null;
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answerTo(request) {
  const body = await bodyOf(request);
  if (body === null) return [413, { connection: "close" }];
  if (!isSigned(request.headers, body)) return [401, {}];
  const isKept = keep(request.headers["webhook-id"], body);
  return isKept ? [204, {}] : [503, { "retry-after": "5" }];
}

const server = createServer((request, response) => {
  answerTo(request).then(
    ([status, headers]) => response.writeHead(status, headers).end(),
    () => response.destroy(), // the sender went away in the middle
  );
});
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
);
