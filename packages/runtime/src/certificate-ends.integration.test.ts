import { once } from "node:events";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { makeCertificate, waitFor } from "@postrider/testkit";
import { certificateEnds } from "./certificate-ends.ts";
import { liveTlsAgents } from "./live-tls-agents.ts";
import { createMeter, type RenderedMeter } from "./meter.ts";

const DAY_S = 86_400;
/** A certificate knows whole seconds. */
const NOW_S = Math.floor(Date.now() / 1000);
const endingIn = (days: number) =>
  makeCertificate({
    hosts: ["127.0.0.1"],
    notAfter: (NOW_S + days * DAY_S) * 1000,
  });

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** In how many days each certificate ends, as the metrics page says. */
async function daysLeft(meter: RenderedMeter): Promise<Record<string, number>> {
  const line =
    /^postrider_certificate_expiry_timestamp_seconds\{server="(\w+)",certificate="(\w+)".*\} (\S+)$/gm;
  return Object.fromEntries(
    [...(await meter.render()).matchAll(line)].map(
      ([, server, certificate, at]) => [
        `${server} ${certificate}`,
        (Number(at) - NOW_S) / DAY_S,
      ],
    ),
  );
}

test("of authorities that were given the last to end counts, of our own certificate and its chain the first, as the files are now", async () => {
  const meter = createMeter({ service: "test" });
  const [old, young] = [endingIn(2), endingIn(300)];
  let cert = `${endingIn(90).cert}${endingIn(40).cert}`;
  certificateEnds(meter).given("registry", () => ({
    ca: old.cert + young.cert,
    cert,
    key: old.key,
  }));

  expect(await daysLeft(meter)).toEqual({
    "registry authority": 300,
    "registry client": 40,
  });
  cert = cert.slice(0, 100); // it is being replaced
  expect(await daysLeft(meter)).toMatchObject({ "registry client": 40 });
  cert = endingIn(120).cert;
  expect(await daysLeft(meter)).toMatchObject({ "registry client": 120 });
});

test("a server's certificate counts while we are connected; what it was stays known", async () => {
  const meter = createMeter({ service: "test" });
  const shown = endingIn(30);
  const server = createServer(shown, (_, response) => response.end());
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  const agents = liveTlsAgents("clickhouse", () => ({ ca: shown.cert }), {
    event: "kept",
    variable: "CA",
    log: { warn: () => undefined },
    meter,
  });
  const agent = agents({ keepAlive: true });
  const { port } = server.address() as AddressInfo;
  expect(await daysLeft(meter)).toEqual({ "clickhouse authority": 30 });

  const asked = request({ host: "127.0.0.1", port, agent }).end();
  const [response] = (await once(asked, "response")) as [NodeJS.ReadableStream];
  response.resume();

  expect(await daysLeft(meter)).toMatchObject({ "clickhouse server": 30 });
  agent.destroy();
  server.close();
  await waitFor(() => Object.keys(agent.sockets).length === 0);
  expect(await daysLeft(meter)).toMatchObject({ "clickhouse server": 30 });
});

test("without TLS there is nothing to end", async () => {
  const meter = createMeter({ service: "test" });

  certificateEnds(meter);

  expect(await daysLeft(meter)).toEqual({});
});
