/** Baseline: a bare loop of signed undici.dispatch POSTs. URL SECRET BODY-BYTES COUNT CONNECTIONS PREFIX */
import { createHmac, createSecretKey } from "node:crypto";
import { Client, type Dispatcher } from "undici";

const [url = "", secret = "", bytes, total, connections, prefix = ""] =
  process.argv.slice(2);
const { origin, pathname: path } = new URL(url);
const key = createSecretKey(Buffer.from(secret.slice(6), "base64"));
const body = Buffer.from(`{"text":"${"x".repeat(Number(bytes) - 11)}"}`);
const count = Number(total);
let sent = 0;
let done = 0;

function next(client: Client): void {
  if (sent === count) return;
  const id = `${prefix}${sent++}`;
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", key)
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest("base64");
  client.dispatch(
    {
      path,
      method: "POST",
      headers: [
        "webhook-id",
        id,
        "webhook-timestamp",
        String(timestamp),
        "webhook-signature",
        `v1,${signature}`,
        "user-agent",
        "Postrider/0.1.0",
        "content-type",
        "application/json",
      ],
      body,
    },
    {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData() {},
      onResponseEnd() {
        done += 1;
        next(client);
        if (done === count) process.send?.({ kind: "done" });
      },
      onResponseError: (_: Dispatcher.DispatchController, error: Error) => {
        throw error;
      },
    },
  );
}

for (let i = 0; i < Number(connections); i++)
  next(
    new Client(origin, { allowH2: false, headersTimeout: 0, bodyTimeout: 0 }),
  );
