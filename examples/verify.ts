// WEBHOOK_SECRET=whsec_… npx node examples/verify.ts
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const secret = process.env["WEBHOOK_SECRET"] ?? "";
if (secret === "") {
  console.error("Set WEBHOOK_SECRET to the endpoint's secret (whsec_…).");
  process.exit(2);
}
const webhook = new Webhook(secret);

createServer((request, response) => {
  void buffer(request).then((body) => {
    const headers = request.headers as Record<string, string>;
    try {
      // The raw bytes, before any parsing: the signature is over them.
      const event = webhook.verify(body.toString(), headers);
      console.log(headers["webhook-id"], event);
      response.writeHead(204).end();
    } catch {
      response.writeHead(401).end();
    }
  });
}).listen(8080, "127.0.0.1", () =>
  console.log("Listening on http://127.0.0.1:8080"),
);
