import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "@jest/globals";
import type { Check } from "./effects.ts";
import { freePorts } from "./free-port.ts";

const fixture = fileURLToPath(
  new URL("../fixtures/service/main.ts", import.meta.url),
);
let child: ChildProcess | undefined;
afterEach(() => void child?.kill("SIGKILL"));

function run(env: Readonly<Record<string, string>> = {}) {
  const own = spawn(process.execPath, [fixture], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child = own;
  let output = "";
  own.stdout?.on("data", (chunk) => (output += `stdout: ${chunk}`));
  own.stderr?.on("data", (chunk) => (output += chunk));
  return {
    child: own,
    output: () => output,
    // not "close": the child process does not emit it after a disconnect
    exit: Promise.all([once(own, "exit"), once(own.stderr!, "close")]).then(
      ([[code]]) => code as number | null,
    ),
    async sees(text: string) {
      while (!output.includes(text) && own.exitCode === null)
        await Promise.race([once(own.stderr!, "data"), once(own, "exit")]);
      expect(output).toContain(text);
    },
  };
}

test("a service logs that it is ready and where its admin port is, on stderr", async () => {
  const service = run();

  await service.sees("service.ready");

  expect(service.output()).toMatch(/"adminUrl":"http:\/\/127\.0\.0\.1:\d+"/);
  expect(service.output()).not.toContain("stdout:");
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s stops the parts and exits with 0",
  async (signal) => {
    const service = run();
    await service.sees("service.ready");

    service.child.kill(signal);

    expect(await service.exit).toBe(0);
    expect(service.output()).toContain("part.stopped");
  },
);

test("a service that still waits in its start can be stopped", async () => {
  const service = run({ FIXTURE: "hangs" });
  await service.sees("part.started");

  service.child.kill("SIGTERM");

  expect(await service.exit).toBe(0);
  expect(service.output()).not.toContain("service.ready");
});

test("a start that waits counts as started and live, but is not ready, and a stop ends it without `service.ready`", async () => {
  const [port] = await freePorts(1);
  const service = run({ FIXTURE: "waits", POSTRIDER_ADMIN_PORT: `${port}` });
  await service.sees("part.started");
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    const { checks } = (await answer.json()) as { checks: Check[] };
    return [answer.status, checks[0]];
  };

  const answers = await Promise.all(
    ["/startupz", "/livez", "/readyz"].map(ask),
  );
  service.child.kill("SIGTERM");

  const waits = expect.stringContaining("parts are starting");
  expect(await service.exit).toBe(0);
  expect(answers).toEqual([
    [200, { name: "started", isOk: true, detail: waits }],
    [200, undefined],
    [503, { name: "started", isOk: false, detail: waits }],
  ]);
  expect(service.output()).not.toContain("service.ready");
});

test("a service whose loop stands still has not started", async () => {
  const [port] = await freePorts(1);
  const service = run({ FIXTURE: "stands", POSTRIDER_ADMIN_PORT: `${port}` });
  await service.sees("service.ready");

  const answer = await fetch(`http://127.0.0.1:${port}/startupz`);

  expect(answer.status).toBe(503);
});

test("a second signal exits at once with 130", async () => {
  const service = run({ FIXTURE: "stuck" });
  await service.sees("service.ready");

  service.child.kill("SIGTERM");
  await service.sees("part.stopped");
  service.child.kill("SIGTERM");

  expect(await service.exit).toBe(130);
});

test("a part that does not start ends the service with 1 and its reason", async () => {
  const service = run({ FIXTURE: "refuses" });

  expect(await service.exit).toBe(1);
  expect(service.output()).toMatch(/service\.failed|"refused"/);
});

test("an exception nobody caught is logged and exits with 1", async () => {
  const service = run({ FIXTURE: "throws" });

  expect(await service.exit).toBe(1);
  expect(service.output()).toContain("nobody catches this");
});

test("a configuration that cannot be read exits with 2 and every problem", async () => {
  const service = run({
    POSTRIDER_ADMIN_PORT: "x",
    POSTRIDER_LOG_LEVEL: "loud",
  });

  expect(await service.exit).toBe(2);
  expect(service.output()).toContain("POSTRIDER_ADMIN_PORT must be");
  expect(service.output()).toContain("POSTRIDER_LOG_LEVEL must be");
});

test("a service whose parent is gone stops by itself", async () => {
  const service = run();
  await service.sees("service.ready");

  service.child.disconnect();

  expect(await service.exit).toBe(0);
  expect(service.output()).toContain("parent is gone");
});

/** So that a test does not wait for the SDK's usual 5 and 10 s. */
const SOON = {
  OTEL_BSP_SCHEDULE_DELAY: "20",
  OTEL_EXPORTER_OTLP_TIMEOUT: "200",
};

test("a service loads no tracing unless it is asked for", async () => {
  const service = run({ OTEL_SERVICE_NAME: "x", OTEL_SDK_DISABLED: "" });

  await service.sees("service.ready");

  expect(service.output()).toContain('"isTracing":false');
  expect(service.output()).not.toContain("tracing.started");
});

test("spans leave as protobuf, under the name that OTEL_SERVICE_NAME gives", async () => {
  const arrived = Promise.withResolvers<[type: string, text: string]>();
  const otlp = createHttpServer((request, response) => {
    const type = `${request.url} ${request.headers["content-type"]}`;
    let text = "";
    request.setEncoding("latin1").on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      arrived.resolve([type, text]);
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(otlp, "listening");
  const { port } = otlp.address() as AddressInfo;
  const service = run({
    ...SOON,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_SERVICE_NAME: "webhooks-of-acme",
  });

  const [type, text] = await arrived.promise;
  service.child.kill("SIGTERM");

  expect(type).toBe("/v1/traces application/x-protobuf");
  expect(text).toContain("webhooks-of-acme");
  expect(await service.exit).toBe(0);
  otlp.closeAllConnections();
  otlp.close();
});

test("a receiver of spans that is not there hinders neither start nor stop, and is logged once", async () => {
  const service = run({ ...SOON, OTEL_TRACES_EXPORTER: "otlp", ...NOBODY });
  await service.sees("service.ready");
  await service.sees("spans.notSent");

  service.child.kill("SIGTERM");

  expect(await service.exit).toBe(0);
  expect(service.output()).toContain('"isTracing":true');
  expect(service.output().split("spans.notSent")).toHaveLength(2);
});

/** Nobody listens on this port. */
const NOBODY = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };

test("a receiver of spans that never answers does not keep a service from stopping", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => {
    socket.on("error", () => undefined);
    sockets.push(socket);
  }).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const isConnected = once(silent, "connection");
  const { port } = silent.address() as AddressInfo;
  const service = run({
    OTEL_BSP_SCHEDULE_DELAY: "20",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  await service.sees("service.ready");
  await isConnected;

  service.child.kill("SIGTERM");

  expect(await service.exit).toBe(0);
  expect(service.output()).toContain("spans.notFlushed");
  for (const socket of sockets) socket.destroy();
  silent.close();
});
