import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy that has another server below a path, as people put control behind one: it strips the path, and answers 404 to anything else. */
export async function startPrefixProxy(
  prefix: string,
  target: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "";
    if (!path.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404).end();
      return;
    }
    const { method, headers } = incoming;
    const onward = request(
      new URL(path.slice(prefix.length), target),
      { method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}${prefix}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
