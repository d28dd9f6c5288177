// WEBHOOK_SECRET=whsec_… node examples/verify.ts
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env["WEBHOOK_SECRET"] ?? "");

createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    // The raw bytes, before any parsing: the signature is over them.
    const event = webhook.verify(
      Buffer.concat(chunks).toString(),
      request.headers as Record<string, string>,
    );
    console.log(request.headers["webhook-id"], event);
    response.writeHead(204).end();
  } catch {
    response.writeHead(401).end();
  }
}).listen(8080, "127.0.0.1");
