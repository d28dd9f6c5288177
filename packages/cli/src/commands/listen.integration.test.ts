/** `listen`: against a fake control, and on a whole `dev`. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { verify } from "@postrider/signing";
import {
  startReceiver,
  useStack,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();
const stack = useStack();
const TYPES = new URL("../../../../examples/event-types.yaml", import.meta.url);
const bin = fileURLToPath(new URL("../../bin/postrider.js", import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), "postrider-listen-"));
const children: ChildProcess[] = [];
let service: Receiver | undefined;
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await service?.close();
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function start(line: string, env: Record<string, string | undefined> = {}) {
  const own = spawn(process.execPath, [bin, ...line.split(" ")], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ...env },
  });
  children.push(own);
  const told = { stdout: "", stderr: "" };
  own.stdout.on("data", (chunk) => (told.stdout += String(chunk)));
  own.stderr.on("data", (chunk) => (told.stderr += String(chunk)));
  const ended = once(own, "close") as Promise<
    [number | null, NodeJS.Signals | null]
  >;
  return { own, told, ended };
}

/** An open breaker waits for some seconds before it probes. */
const WAIT = { timeoutMs: 60_000 };
const OF_THE_FAKE = "listen --tenant acme --types order.*,user.created";

/** Control as far as `listen` asks it: the endpoints of the list, and one that is made. */
function controlWith(...there: readonly string[]): void {
  const ids = new Set(there);
  fake.answer = ({ line }) => {
    const [method, path = ""] = line.split(" ");
    if (method === "POST") {
      ids.add("ep_new");
      return [201, { id: "ep_new", version: 1, secret: "whsec_MDEyMzQ1Njc4" }];
    }
    if (path.startsWith("/v1/endpoints?"))
      return [200, { endpoints: [...ids].map((id) => ({ id, version: 3 })) }];
    const id = path.split("/").at(-1) ?? "";
    if (!ids.has(id)) return [404, { detail: `There is no endpoint ${id}.` }];
    if (method === "DELETE") ids.delete(id);
    return method === "DELETE" ? [204, ""] : [200, { id, version: 3 }];
  };
}

test("a left-over of the same name is deleted, an endpoint is made, and Ctrl-C removes it", async () => {
  controlWith("ep_old");

  const { own, told, ended } = start(
    `${OF_THE_FAKE} --name me --forward-to http://127.0.0.1:9/hooks`,
    fake.env(),
  );
  await waitFor(() => told.stderr.includes("Ctrl-C removes it"));
  own.kill("SIGINT");
  const [code] = await ended;

  expect(code).toBe(0);
  expect(told.stderr).toContain("hooks, signed with whsec_MDEyMzQ1Njc4\n");
  const lines = fake.asked.map(({ line }) => line);
  expect(lines).toEqual([
    "GET /v1/endpoints?limit=1000&tenantId=acme&externalId=listen%3Ame",
    "GET /v1/endpoints/ep_old",
    "DELETE /v1/endpoints/ep_old",
    "POST /v1/endpoints",
    "GET /v1/endpoints/ep_new",
    "DELETE /v1/endpoints/ep_new",
  ]);
  expect(JSON.parse(fake.asked[3]?.body ?? "")).toMatchObject({
    tenantId: "acme",
    externalId: "listen:me",
    eventTypes: ["order.*", "user.created"],
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/) as unknown,
    maxAgeMs: 600_000,
  });
  expect(fake.asked[5]?.headers["if-match"]).toBe('"3"');
  expect(told.stderr).toContain("ep_old, of an earlier listen --name me");
  expect(told.stderr).toContain("ep_new is removed.");
});

test("an endpoint that another listen took is not missed, and one that cannot be removed is named with the command that does", async () => {
  controlWith();
  const taken = start(OF_THE_FAKE, fake.env());
  await waitFor(() => taken.told.stderr.includes("Ctrl-C removes it"));
  controlWith();
  taken.own.kill("SIGTERM");
  expect(await taken.ended).toEqual([0, null]);
  expect(taken.told.stderr).toContain("ep_new was gone already");

  controlWith();
  const stuck = start(OF_THE_FAKE, fake.env());
  await waitFor(() => stuck.told.stderr.includes("Ctrl-C removes it"));
  fake.answer = () => [500, { title: "Broken" }];
  stuck.own.kill("SIGINT");
  expect(await stuck.ended).toEqual([1, null]);
  expect(stuck.told.stderr).toContain("next: npx postrider endpoints delete");
});

test("a loopback address that Postrider does not deliver to is told with what to give instead", async () => {
  fake.answer = ({ line }) =>
    line.startsWith("GET")
      ? [200, { endpoints: [] }]
      : [
          400,
          {
            title: "The request breaks a rule",
            errors: [{ field: "url", rule: "address", message: "refused" }],
          },
        ];

  const { told, ended } = start(OF_THE_FAKE, fake.env());

  expect(await ended).toEqual([5, null]);
  expect(told.stderr).toContain("Postrider does not deliver to http://127");
  expect(told.stderr).toContain("--public-url");
});

test("on dev, deliveries go through to the service, its failures are tried again, a killed listen is taken over, a type's example is triggered, and operational events are heard", async () => {
  service = await startReceiver({ answer: [500, 200] });
  start("dev", {
    KAFKA_BROKERS: stack.brokers.join(","),
    CLICKHOUSE_URL: stack.clickhouseUrl,
    POSTRIDER_TOPIC_PREFIX: stack.prefix,
    POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
    POSTRIDER_TIERS: "1s,2s",
    POSTRIDER_OPERATIONS_TENANT: "ops",
  });
  await waitFor(() => existsSync(join(cwd, ".postrider/dev.json")), {
    timeoutMs: 120_000,
    what: "dev.json",
  });
  const listen = `listen --json --tenant acme --types order.* --forward-to ${service.url}/hooks`;
  const killed = start(listen);
  await waitFor(() => killed.told.stdout.includes("endpointId"));
  killed.own.kill("SIGKILL");
  const { own, told, ended } = start(listen);
  await waitFor(() => told.stdout.includes("endpointId"));
  const { endpointId, secret } = JSON.parse(told.stdout) as {
    endpointId: string;
    secret: string;
  };
  const endpoints = async (): Promise<string> => {
    const list = start("endpoints list --json --tenant acme");
    await list.ended;
    return list.told.stdout;
  };
  expect(await endpoints()).toContain(endpointId);
  expect(JSON.parse(await endpoints())).toMatchObject({
    endpoints: [{ id: endpointId }],
  });

  // Route may be a moment behind control: an event of before would match no endpoint.
  for (let n = 1; service.requests.length === 0; n += 1)
    await start(
      `publish --tenant acme --type order.paid --id o-${n} --payload {"n":${n}}`,
    ).ended;
  const requests = await service.waitForRequests(2);
  for (const { headers, body } of requests)
    expect(verify({ headers, body, secrets: [secret] }).ok).toBe(true);

  expect(new Set(requests.map(({ path }) => path))).toEqual(
    new Set(["/hooks"]),
  );
  const lines = await waitFor(() => {
    const all = told.stdout.trim().split("\n").slice(1);
    return all.length >= 2
      ? all.map((line) => JSON.parse(line) as object)
      : null;
  });
  for (const status of [500, 200])
    expect(lines).toContainEqual(
      expect.objectContaining({
        status,
        forwardStatus: status,
        signature: "right",
      }),
    );

  copyFileSync(TYPES, join(cwd, "types.yaml"));
  for (const line of [
    "event-types apply -f types.yaml",
    "trigger order.paid --tenant acme",
  ])
    expect(await start(line).ended).toEqual([0, null]);
  await service.waitForRequests(1, {
    where: ({ body }) => String(body) === '{"orderId":1001,"total":12.5}',
  });

  // Operational events are events like others.
  const operator = start("listen --json --tenant ops --types postrider.*");
  await waitFor(() => operator.told.stdout.includes("endpointId"));
  const heard = (type: string): string | undefined =>
    operator.told.stdout
      .split("\n")
      .slice(1, -1)
      .find((line) => line.includes(`"postrider.${type}"`));
  while (heard("endpoint.disabled") === undefined)
    for (const change of ["disable", "enable"])
      await start(`endpoints ${change} ${endpointId}`).ended;

  service.answerWith(503);
  const many = Array.from(
    { length: 12 },
    (_, n) =>
      `{"id":"many-${n}","type":"order.paid","tenantId":"acme","payload":${n}}\n`,
  );
  writeFileSync(join(cwd, "many.ndjson"), many.join(""));
  expect(await start("publish --ndjson many.ndjson").ended).toEqual([0, null]);
  await waitFor(() => heard("breaker.opened"), WAIT);
  service.answerWith(200);
  await waitFor(() => heard("breaker.closed"), WAIT);
  for (const type of ["endpoint.disabled", "breaker.opened", "breaker.closed"])
    expect(JSON.parse(heard(type) ?? "{}")).toMatchObject({
      eventType: `postrider.${type}`,
      signature: "right",
      body: expect.stringContaining(endpointId) as unknown,
    });

  own.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
  expect(JSON.parse(await endpoints())).toEqual({ endpoints: [] });
}, 180_000);
