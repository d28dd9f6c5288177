/** What is checked of a stack that is up. */
import { waitFor } from "@postrider/testkit";
import type { Checks } from "./checks.ts";
import {
  containerOf,
  containersOf,
  type Compose,
} from "./compose-containers.ts";
import type { Engine } from "./engine.ts";
import type { FailingReceiver } from "./failing-receiver.ts";
import {
  createEndpoint,
  deliveryOf,
  publish,
  publishRouted,
  rowsOf,
  TENANT,
} from "./stack-api.ts";

export async function composeChecks(given: {
  readonly engine: Engine;
  readonly compose: Compose;
  readonly receiver: FailingReceiver;
  readonly checks: Checks;
}): Promise<void> {
  const { engine, compose, receiver, checks } = given;
  const { check } = checks;
  await check("services are healthy, and jobs have ended with 0", () =>
    allWell(engine),
  );
  await check("ports are open on the loopback only", () =>
    onLoopbackOnly(engine),
  );
  await check("what comes through the door is delivered", async () => {
    await createEndpoint("http://receiver:9000/hooks", "order.paid");
    await deliveryOf(await publishRouted("order.paid"), "delivered", 1);
    const log = await compose("logs", "receiver");
    if (!log.includes("POST /hooks")) throw new Error(log);
  });
  await check("a failed attempt is made again", async () => {
    await createEndpoint(receiver.flakyUrl, "invoice.sent");
    const event = await publishRouted("invoice.sent");
    const { attempts } = await deliveryOf(event, "delivered", 2);
    equal(codesOf(attempts), [500, 200]);
  });
  await check("what is never taken becomes a dead letter", async () => {
    const retryDelaysMs = [1_000];
    await createEndpoint(receiver.deadUrl, "user.deleted", { retryDelaysMs });
    const event = await publishRouted("user.deleted");
    const delivery = await deliveryOf(event, "expired", 2);
    equal(codesOf(delivery.attempts), [500, 500]);
    equal(delivery.deadLetterReason, "exhausted");
    const sql = `SELECT event_id, reason FROM dead_letters WHERE tenant_id = '${TENANT}' AND event_id = '${event}'`;
    // The recorder waits a second for more before it inserts.
    const rows = await waitFor(async () => {
      const found = await rowsOf(sql);
      return found.length > 0 && found;
    });
    equal(rows, [[event, "exhausted"]]);
  });
  await check("every attempt is a row", async () => {
    const sql = `SELECT event_type, outcome, count() > 0 FROM attempts WHERE tenant_id = '${TENANT}' AND attempt_number > 0 GROUP BY ALL ORDER BY ALL`;
    const rows = await rowsOf(sql);
    equal(
      rows.map(([type, outcome]) => [type, outcome]),
      [
        ["invoice.sent", "delivered"],
        ["invoice.sent", "http_error"],
        ["order.paid", "delivered"],
        ["user.deleted", "http_error"],
      ],
    );
  });
  await check("a killed dispatcher comes back and goes on", async () => {
    const { State, RestartCount } = await containerOf(engine, "dispatcher");
    process.kill(State.Pid, "SIGKILL"); // not by docker: what docker has killed stays down
    const event = await publish("order.paid");
    await deliveryOf(event, "delivered", 1);
    const back = await waitFor(
      async () => {
        const now = await containerOf(engine, "dispatcher");
        return now.State.Health?.Status === "healthy" && now;
      },
      { what: "a healthy dispatcher", timeoutMs: 120_000, everyMs: 500 },
    );
    equal(back.RestartCount, RestartCount + 1);
  });
  await check("run --rm postrider endpoints list", async () => {
    const list = ["endpoints", "list", "--tenant", TENANT, "--json"];
    const out = await compose("run", "--rm", "postrider", ...list);
    const { endpoints } = JSON.parse(out) as { endpoints: unknown[] }; // the command's contract
    if (endpoints.length < 3) throw new Error(out);
  });
  await check("run --rm postrider demo", async () => {
    const out = await compose("run", "--rm", "postrider", "demo");
    console.log(out.trimEnd().replaceAll(/^/gm, "        "));
  });
  await check("the profile registry", async () => {
    const up = ["up", "--detach", "--wait", "registry"];
    await compose("--profile", "registry", ...up);
    const answer = await fetch(
      "http://127.0.0.1:8081/apis/ccompat/v7/subjects",
    );
    equal(answer.status, 200);
  });
}

async function allWell(engine: Engine): Promise<void> {
  for (const { Name, State } of await containersOf(engine)) {
    const isWell =
      State.Health?.Status === "healthy" ||
      (State.Status === "exited" && State.ExitCode === 0);
    if (!isWell) throw new Error(`${Name}: ${JSON.stringify(State)}`);
  }
}

async function onLoopbackOnly(engine: Engine): Promise<string> {
  const containers = await containersOf(engine);
  const bindings = containers.flatMap(({ HostConfig }) =>
    Object.values(HostConfig.PortBindings).flatMap((bound) => bound ?? []),
  );
  equal(
    bindings.filter(({ HostIp }) => HostIp !== "127.0.0.1"),
    [],
  );
  return `${bindings.length} ports`;
}

function codesOf(
  attempts: readonly { readonly statusCode: number | null }[],
): (number | null)[] {
  return attempts.map(({ statusCode }) => statusCode);
}

function equal(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`expected ${b}, found ${a}`);
}
