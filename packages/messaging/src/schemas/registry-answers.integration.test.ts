/** Answers that a real registry and the proxy before it do not give, by a server of our own. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { registryAccess } from "@postrider/runtime";
import { testEffects, waitFor } from "@postrider/testkit";
import {
  createRegistrySchemas,
  type RegistrySchemas,
} from "./registry-schemas.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** `answer` gets the path and how often it was asked for before. */
async function registryThat(
  answer: (response: ServerResponse, path: string, before: number) => void,
): Promise<RegistrySchemas> {
  const asked = new Map<string, number>();
  const server = createServer(({ url = "" }, response) => {
    const before = asked.get(url) ?? 0;
    asked.set(url, before + 1);
    answer(response, url, before);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo; // a server that listens on TCP has an AddressInfo
  const effects = testEffects();
  const address = { schemaRegistryUrl: `http://127.0.0.1:${port}` };
  const registry = registryAccess(address, effects.log)!;
  const pace = { requestMs: 1_000, failedMs: 10 };
  return createRegistrySchemas({ registry, ...pace, ...effects });
}

const json = (response: ServerResponse, body: unknown): void =>
  void response.end(JSON.stringify(body));

/** Half of an answer, then the end of the connection. */
function broken(response: ServerResponse): void {
  response.writeHead(200, { "content-length": "1000" });
  response.write("{", () => response.destroy());
}

test("an answer that changes the protocol ends the request: the id is asked for again, and had", async () => {
  const schemas = await registryThat((response, _path, before) => {
    if (before > 0) return json(response, { schema: '"int"' });
    response.writeHead(101, { connection: "upgrade", upgrade: "x" });
    response.end();
  });

  await waitFor(() => schemas.byId(7).kind === "found");
});

test("a schema that refers to others is had, though the answer about it or about another broke off before", async () => {
  const parcel = {
    schema:
      '{"type":"record","name":"Parcel","fields":[{"name":"size","type":"Size"}]}',
    references: [{ name: "Size", subject: "size", version: 1 }],
  };
  const size = { schema: '{"type":"enum","name":"Size","symbols":["S"]}' };
  const schemas = await registryThat((response, path, before) => {
    const isOwn = path === "/schemas/ids/7";
    // The first is our own request, the second that of the client.
    if (before === (isOwn ? 1 : 0)) return broken(response);
    json(response, isOwn ? parcel : size);
  });

  const found = await waitFor(() => {
    const now = schemas.byId(7);
    return now.kind === "found" && now;
  });

  expect(JSON.parse(found.json)).toMatchObject({
    name: "Parcel",
    fields: [{ type: { name: "Size" } }],
  });
});
