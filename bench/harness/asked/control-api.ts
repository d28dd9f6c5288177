/** The real control service, asked as an administrator and with a key of each tenant. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "@postrider/core";
import type { ClickHouseUser, Stack } from "@postrider/local-stack";
import { tenantUserEntry } from "@postrider/runtime";
import type { BenchContext } from "../context.ts";
import { writeEndpoints } from "../load.ts";
import { createTopics } from "../stack.ts";
import { ADMIN_KEY, DATABASE, startSubject } from "../subject.ts";
import type { Get } from "./ask.ts";

const TENANT_USER = "bench_tenants";
const PASSWORD = "bench-tenants-0123456789";

/** As whom control asks for a tenant: as docs/security.md has it. */
export const TENANT_USERS: Readonly<Record<string, ClickHouseUser>> = {
  [TENANT_USER]: tenantUserEntry(DATABASE, PASSWORD),
};

const OWNER_WITHIN_MS = 30_000;

export interface RunningControl {
  readonly url: string;
  readonly get: Get;
}

/** It knows the endpoints. `tenants` are those whose keys will be used. */
export async function startControl(
  context: BenchContext,
  stack: Stack,
  {
    tenants,
    endpoints,
  }: {
    readonly tenants: readonly string[];
    readonly endpoints: readonly Endpoint[];
  },
): Promise<RunningControl> {
  const topics = await createTopics(context, stack, "queries.");
  await writeEndpoints(topics, endpoints);
  const { controlUrl } = await startSubject(context, {
    stack,
    topics,
    services: ["control"],
    env: {
      CLICKHOUSE_TENANT_USER: TENANT_USER,
      CLICKHOUSE_TENANT_PASSWORD: PASSWORD,
    },
  });
  const keys = new Map<string | null, string>([[null, ADMIN_KEY]]);
  for (const tenantId of tenants)
    keys.set(tenantId, await readersKey(controlUrl, tenantId));
  const get: Get = async (path, tenantId) => {
    const key = keys.get(tenantId);
    if (key === undefined) throw new Error(`no key of ${tenantId} was made`);
    const answer = await fetch(`${controlUrl}${path}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    return { status: answer.status, text: await answer.text() };
  };
  return { url: controlUrl, get };
}

/** Control may write only once it owns its partition. */
async function readersKey(controlUrl: string, tenantId: string) {
  const until = performance.now() + OWNER_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${controlUrl}/v1/keys`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ name: "bench", role: "reader", tenantId }),
    });
    const text = await answer.text();
    if (answer.status === 201)
      return (JSON.parse(text) as { readonly token: string }).token; // a new key's answer has its token
    if (answer.status !== 503 || performance.now() > until)
      throw new Error(`no key for ${tenantId}: ${answer.status} ${text}`);
    await sleep(200);
  }
}
