// INGEST=http://127.0.0.1:7401 KEY=… npx node examples/door.ts
// Publishes over HTTP with nothing but Node.
import { setTimeout as sleep } from "node:timers/promises";

const url = `${process.env["INGEST"] ?? "http://127.0.0.1:7401"}/v1/events`;
const headers = {
  authorization: `Bearer ${process.env["KEY"]}`,
  "content-type": "application/json",
};

/** Resolves once Kafka has the event. It is safe to send it again, because its id stays the same. */
async function publish(event: object): Promise<string> {
  let last = "";
  for (let attempt = 1; attempt <= 5; attempt++) {
    let waitSeconds = attempt;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(30_000),
      });
      last = await response.text();
      if (response.ok) return last;
      // A refusal says which field breaks which rule.
      if (response.status < 500 && response.status !== 429) break;
      waitSeconds = Number(response.headers.get("retry-after")) || attempt;
    } catch (error) {
      last = String(error); // no connection, or no answer
    }
    await sleep(waitSeconds * 1000);
  }
  throw new Error(`not published: ${last}`);
}

console.log(
  await publish({
    id: "node-1",
    type: "order.paid",
    tenantId: "acme",
    payload: { orderId: 20, total: "12.50" },
  }),
);
