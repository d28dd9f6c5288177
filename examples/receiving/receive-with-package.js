// WEBHOOK_SECRETS="whsec_…" npx node examples/receiving/receive-with-package.js
// With @postrider/signing (packages/signing). During a rotation name both secrets, with a space between them; public keys (whpk_…) too.
import { createServer } from "node:http";
import { verify } from "@postrider/signing";

const MAX_BODY_BYTES = 1_048_576;
const MAX_WAITING = 1_000;
const MAX_REMEMBERED = 10_000;

const secrets = (process.env.WEBHOOK_SECRETS ?? "")
  .split(/\s+/)
  .filter(Boolean);
if (secrets.length === 0)
  throw new Error("Set WEBHOOK_SECRETS to the endpoint's secret (whsec_…).");
// Throws on a secret that cannot be used: now, and not at the first request.
verify({ headers: {}, body: "", secrets });

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
  const result = verify({ headers: request.headers, body, secrets });
  if (!result.ok) {
    console.error(`refused: ${result.message}`);
    return [401, {}];
  }
  return keep(result.id, body) ? [204, {}] : [503, { "retry-after": "5" }];
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
