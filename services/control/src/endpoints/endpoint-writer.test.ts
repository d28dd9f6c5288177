import { expect, test } from "@jest/globals";
import {
  headerAad,
  SEALED_HEADERS,
  type Endpoint,
  type Signal,
} from "@postrider/core";
import {
  FencedError,
  UnfitValueError,
  type InRecord,
} from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { aSignal, testEffects } from "@postrider/testkit";
import { ownCause } from "../audit/cause.ts";
import { createEndpointInput } from "./endpoint-input.ts";
import { createEndpointWriter } from "./endpoint-writer.ts";
import { changedEndpoint, enabledEndpoint } from "./endpoint.ts";
import { createHeaderSeal } from "./header-seal.ts";
import { createTenureWriter } from "../writer/tenure-writer.ts";
import { createGoneStage } from "./gone.stage.ts";
import type { AuditFact } from "../audit/audit-trail.ts";
import type { Tenure } from "../writer/ownership.ts";
import { ProblemError } from "@postrider/http";

const input = createEndpointInput({
  allowHttp: false,
  allowedCidrs: [],
  deniedCidrs: [],
});
const creation = input.parseCreation({
  tenantId: "acme",
  url: "https://example.com/hook",
  eventTypes: ["*"],
  externalId: "theirs",
});

const keyRing = createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]);

const CAUSE = { actor: "key_1", why: "ticket 7", requestId: "req-7" };
const ANY = {
  condition: "any",
  callersTenant: null,
  cause: CAUSE,
} as const;
const AT_1 = { condition: 1, callersTenant: null, cause: CAUSE } as const;

/** A writer whose log and table are the test's fakes. */
function aWriter() {
  const effects = testEffects();
  const rows = new Map<string, Endpoint>();
  const log: { id: string; endpoint: Endpoint | null }[] = [];
  const audited: AuditFact[] = [];
  const state = {
    isOwner: true,
    fault: null as Error | null,
    isReadBack: true,
    isUnfit: false,
    isAuditUnfit: false,
    ended: [] as string[],
    /** Called while a change looks up what else is written with it. */
    whileLookingUp: (): void => {},
    nextTenure: null as Tenure | null,
  };
  const tenure: Tenure = {
    ended: new AbortController().signal,
    producer: {
      send: async (records) => {
        if (state.fault !== null) throw state.fault;
        return records.map(({ topic, partition, value }) => {
          const list: unknown[] = topic === "audit" ? audited : log;
          const offset = list.length;
          list.push(JSON.parse(String(value), bytesToo));
          return { topic, partition, offset };
        });
      },
      disconnect: async () => {},
    },
    fail(why) {
      state.isOwner = false;
      state.ended.push(why);
    },
  };
  let made = 0;
  const tenureWriter = createTenureWriter({
    writeTimeoutMs: 50,
    ownership: {
      tenure: () => state.nextTenure ?? (state.isOwner ? tenure : null),
    },
    async readBack({ topic, offset }) {
      if (topic === "audit") return;
      if (!state.isReadBack) await new Promise(() => {});
      const written = log[offset];
      if (written === undefined) throw new Error("beyond the log");
      if (written.endpoint === null) rows.delete(written.id);
      else rows.set(written.id, written.endpoint);
    },
  });
  const writer = createEndpointWriter({
    ...effects,
    tenureWriter,
    table: { get: (id) => rows.get(id), entries: () => rows.entries() },
    alsoWritten: async () => {
      state.whileLookingUp();
      return [];
    },
    recordOf: (id, endpoint) => {
      if (state.isUnfit)
        throw new UnfitValueError(
          { topic: "endpoints", key: id, value: endpoint! },
          "maxConcurrency",
          "null or int",
        );
      return {
        topic: "endpoints",
        partition: 0,
        key: Buffer.from(id),
        value: Buffer.from(JSON.stringify({ id, endpoint })),
      };
    },
    auditTrail: {
      recordOf: (fact) => {
        if (state.isAuditUnfit) throw new Error("unfit");
        return {
          topic: "audit",
          partition: 0,
          key: Buffer.from(fact.subjectId),
          value: Buffer.from(JSON.stringify(fact)),
        };
      },
    },
    secrets: {
      make: (_tenant, _endpoint, wanted) => ({
        plain: "secret" in wanted ? wanted.secret : "whsec_made",
        sealed: {
          id: "sec_1",
          kid: "k1",
          ciphertext: new Uint8Array(),
          createdAt: effects.clock.now(),
          expiresAt: null,
        },
      }),
    },
    headerSeal: createHeaderSeal(keyRing),
    newId: () => `ep_${(made += 1)}`,
  });
  const stage = createGoneStage({ writer, log: effects.log });
  return { writer, stage, rows, log, audited, state, tenure };
}

/** Revives what JSON makes of a Buffer. */
function bytesToo(_name: string, value: unknown): unknown {
  const { type, data } = Object(value) as { type?: string; data?: number[] };
  return type === "Buffer" && data !== undefined ? Buffer.from(data) : value;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.code;
  }
}

const describe = (endpoint: Endpoint, now: number): Endpoint =>
  changedEndpoint(endpoint, { description: "changed" }, now);

test("an answer is given only after the record was read back", async () => {
  const { writer, rows, state } = aWriter();
  const { endpoint, secret } = await writer.create(creation, CAUSE);
  expect(rows.get(endpoint.id)?.version).toBe(1);
  expect(secret).toBe("whsec_made");

  state.isReadBack = false;

  expect(await codeOf(writer.change(endpoint.id, AT_1, describe))).toBe(
    "write_uncertain",
  );
  expect(state.ended).toHaveLength(1);
});

test("writes that come at once take turns: versions go up by one", async () => {
  const { writer, log } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);

  const versions = await Promise.all(
    [1, 2, 3].map(
      async () => (await writer.change(endpoint.id, ANY, describe)).version,
    ),
  );

  expect(versions).toEqual([2, 3, 4]);
  expect(log.map((written) => written.endpoint?.version)).toEqual([1, 2, 3, 4]);
});

test("of two changes meant for one version the second is stale", async () => {
  const { writer } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);

  const codes = await Promise.all(
    [1, 2].map(() => codeOf(writer.change(endpoint.id, AT_1, describe))),
  );

  expect(codes).toEqual(["done", "stale_version"]);
});

test("a delete writes a tombstone, after which the endpoint is gone", async () => {
  const { writer, log } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);

  await writer.remove(endpoint.id, AT_1);

  expect(log.at(-1)).toEqual({ id: endpoint.id, endpoint: null });
  expect(await codeOf(writer.remove(endpoint.id, ANY))).toBe("not_found");
});

test("an externalId can be used once per tenant", async () => {
  const { writer } = aWriter();
  await writer.create(creation, CAUSE);

  expect(await codeOf(writer.create(creation, CAUSE))).toBe("conflict");
  expect(
    await codeOf(writer.create({ ...creation, tenantId: "other" }, CAUSE)),
  ).toBe("done");
});

test("the different filters of a tenant have a bound together", async () => {
  const { writer } = aWriter();
  const withFilter = (n: number, tenantId = "acme") =>
    writer.create(
      {
        ...creation,
        tenantId,
        externalId: null,
        filter: `payload.n == ${n} // ${"x".repeat(2_000)}`,
      },
      CAUSE,
    );
  for (let n = 10; n < 34; n++) await withFilter(n);
  const { endpoint } = await withFilter(10);

  await expect(withFilter(34)).rejects.toMatchObject({
    code: "invalid",
    errors: [{ field: "filter", rule: "max_of_tenant" }],
  });
  const dearer = writer.change(endpoint.id, ANY, (stored) => ({
    ...stored,
    filter: `payload.n == 34 // ${"x".repeat(2_000)}`,
  }));
  await expect(dearer).rejects.toMatchObject({ code: "invalid" });
  expect(await codeOf(withFilter(11))).toBe("done");
  expect(await codeOf(withFilter(34, "other"))).toBe("done");
});

test("an endpoint that does not fit its schema is refused by its field; nothing is written, and the owner stays", async () => {
  const { writer, stage, log, state } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  state.isUnfit = true;

  const change = writer.change(endpoint.id, AT_1, describe);

  await expect(change).rejects.toMatchObject({
    code: "invalid",
    errors: [{ field: "maxConcurrency", rule: "schema" }],
  });
  const verdict = await stage.handle(
    gone({ endpointId: endpoint.id, endpointVersion: 1 }),
    AbortSignal.abort(),
  );
  expect(verdict).toMatchObject({ kind: "reject", reason: "invalid" });
  expect(state.ended).toEqual([]);
  state.isUnfit = false;
  await writer.change(endpoint.id, AT_1, describe);
  expect(log).toHaveLength(2);
});

test("no header's value is written, whatever its name; who changes the endpoint sees them all, and values that an older version wrote are sealed by any change", async () => {
  const { writer, rows, log, audited } = aWriter();
  const headers = { authorization: "Bearer hush", "x-team": "hush-team" };
  const { endpoint } = await writer.create({ ...creation, headers }, CAUSE);
  rows.set("ep_old", { ...endpoint, id: "ep_old", externalId: null });

  const seen: unknown[] = [];
  for (const id of [endpoint.id, "ep_old"])
    await writer.change(id, ANY, (before, now) => {
      seen.push(before.headers);
      return describe(before, now);
    });

  expect(endpoint.headers).toEqual(headers);
  expect(seen).toEqual([headers, headers]);
  expect(JSON.stringify([log, audited])).not.toMatch(/hush/);
  for (const written of log) {
    expect(written.endpoint?.headers).toEqual({});
    expect(written.endpoint?.signing).toEqual(["standard", SEALED_HEADERS]);
    const { id, sealedHeaders } = written.endpoint!;
    const opened = Object.entries(sealedHeaders).map(([name, sealed]) => [
      name,
      String(keyRing.open(sealed, headerAad("acme", id, name))),
    ]);
    expect(Object.fromEntries(opened)).toEqual(headers);
  }
  // The values did not change, and nobody is told that they did.
  expect(audited.slice(1).map(({ detail }) => Object.keys(detail))).toEqual([
    ["description", "version"],
    ["description", "version"],
  ]);
});

test("a process that is not the owner writes nothing", async () => {
  const { writer, state, log } = aWriter();
  state.isOwner = false;

  expect(await codeOf(writer.create(creation, CAUSE))).toBe("not_owner");
  expect(await codeOf(writer.remove("ep_1", ANY))).toBe("not_owner");
  expect(log).toHaveLength(0);
});

test("a write that the table does not show, though it has read past it, is uncertain and ends the tenure", async () => {
  const { writer, rows, state } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  const get = rows.get.bind(rows);
  rows.get = (id) => get(id) && endpoint;

  expect(await codeOf(writer.change(endpoint.id, AT_1, describe))).toBe(
    "write_uncertain",
  );
  expect(state.ended.join()).toContain(
    "the table shows version 1 after it, not version 2",
  );
});

/** As if the newest key had sealed all of them anew. */
const sealedAnew = (endpoint: Endpoint) => ({
  ...endpoint,
  secrets: endpoint.secrets.map((secret) => ({ ...secret, kid: "k9" })),
});

test("a re-encryption keeps the version, and has its audit record", async () => {
  const { writer, rows, audited } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);

  expect(await writer.reseal(endpoint.id, CAUSE, sealedAnew)).toBe(true);

  const stored = rows.get(endpoint.id)!;
  expect(stored.secrets.map(({ kid }) => kid)).toEqual(["k9"]);
  expect({ ...stored, secrets: [] }).toEqual({
    ...JSON.parse(JSON.stringify(endpoint)),
    secrets: [],
  });
  expect(audited.at(-1)).toMatchObject({ action: "secrets_reencrypted" });
});

test("a re-encryption of the same secrets, or of an endpoint that is gone, writes nothing", async () => {
  const { writer, log } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);

  const same = await writer.reseal(endpoint.id, CAUSE, (endpoint) => endpoint);
  const gone = await writer.reseal("ep_gone", CAUSE, sealedAnew);

  expect([same, gone]).toEqual([false, false]);
  expect(log).toHaveLength(1);
});

test("a re-encryption that the table does not show is uncertain, though the version is the same", async () => {
  const { writer, rows, state } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  const before = rows.get(endpoint.id)!;
  rows.get = () => before;

  expect(await codeOf(writer.reseal(endpoint.id, CAUSE, sealedAnew))).toBe(
    "write_uncertain",
  );
  expect(state.ended.join()).toContain("the table shows the keys");
});

test.each([
  ["a newer owner", new FencedError("taken over"), "not_owner"],
  ["a broker that went away", new Error("gone"), "write_uncertain"],
])("%s ends the tenure", async (_what, fault, code) => {
  const { writer, state } = aWriter();
  state.fault = fault;

  expect(await codeOf(writer.create(creation, CAUSE))).toBe(code);
  expect(state.ended).toHaveLength(1);
});

test("a change that began in one tenure is not written in the next: another owner may have written in between", async () => {
  const { writer, log, state, tenure } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  state.whileLookingUp = () => void (state.nextTenure = { ...tenure });

  expect(await codeOf(writer.change(endpoint.id, AT_1, describe))).toBe(
    "not_owner",
  );
  expect(log).toHaveLength(1);
});

test("more than 256 waiting writes are turned away", async () => {
  const { writer } = aWriter();

  const codes = await Promise.all(
    Array.from({ length: 300 }, (_, n) =>
      codeOf(writer.create({ ...creation, externalId: `x${n}` }, CAUSE)),
    ),
  );

  expect(codes.filter((code) => code === "done")).toHaveLength(256);
  expect(codes.filter((code) => code === "busy")).toHaveLength(44);
});

function gone(signal: Partial<Signal>): InRecord<Signal> {
  const value = aSignal({ kind: "gone", ...signal });
  return { raw: {} as InRecord<Signal>["raw"], value }; // the stage reads only the value
}

test("a 410 disables the endpoint, and one command enables it again", async () => {
  const { writer, stage, rows } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  const signal = gone({ endpointId: endpoint.id, endpointVersion: 1 });

  await stage.handle(signal, AbortSignal.abort());

  expect(rows.get(endpoint.id)).toMatchObject({
    state: "disabled",
    stateReason: expect.stringContaining("gone"),
    version: 2,
  });
  const enabled = await writer.change(endpoint.id, ANY, enabledEndpoint);
  expect(enabled).toMatchObject({
    state: "enabled",
    stateReason: null,
    version: 3,
  });
});

test.each([
  ["older than the endpoint", { endpointVersion: 1 }],
  ["of another kind", { endpointVersion: 2, kind: "breaker_opened" }],
])("a signal %s changes nothing", async (_what, signal) => {
  const { writer, stage, rows, log } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  await writer.change(endpoint.id, AT_1, describe);

  await stage.handle(
    gone({ endpointId: endpoint.id, ...signal }),
    AbortSignal.abort(),
  );

  expect(rows.get(endpoint.id)?.state).toBe("enabled");
  expect(log).toHaveLength(2);
});

test("a repeated signal, and one for a deleted endpoint, are done without a write", async () => {
  const { writer, stage, log } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  const signal = gone({ endpointId: endpoint.id, endpointVersion: 1 });
  await stage.handle(signal, AbortSignal.abort());
  await stage.handle(signal, AbortSignal.abort());
  await writer.remove(endpoint.id, ANY);

  const verdict = await stage.handle(signal, AbortSignal.abort());

  expect(verdict).toEqual({ kind: "emit", records: [] });
  expect(log).toHaveLength(3);
});

test("a signal stays open while this process is not the owner, and is uncommitted when the runner stops", async () => {
  const { writer, stage, state } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  state.isOwner = false;
  const stopping = new AbortController();

  const handled = Promise.resolve(
    stage.handle(
      gone({ endpointId: endpoint.id, endpointVersion: 1 }),
      stopping.signal,
    ),
  );
  const outcome = handled.then(
    () => "done",
    () => "not done",
  );
  setImmediate(() => stopping.abort());

  expect(await outcome).toBe("not done");
});

test("each change is written together with its audit record, a change that changes nothing with none", async () => {
  const { writer, log, audited } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  await writer.change(endpoint.id, AT_1, describe);
  await writer.change(endpoint.id, ANY, (before) => before);
  await writer.remove(endpoint.id, {
    ...AT_1,
    condition: 2,
    cause: ownCause("done"),
  });

  expect(log).toHaveLength(3);
  expect(audited).toMatchObject([
    { ...CAUSE, action: "created", tenantId: "acme", subjectId: endpoint.id },
    {
      ...CAUSE,
      action: "changed",
      detail: { description: { to: "changed" }, version: { from: 1, to: 2 } },
    },
    { actor: "postrider", why: "done", action: "deleted" },
  ]);
});

test("a 410 is in the audit trail as what Postrider did by itself", async () => {
  const { writer, stage, audited } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);

  await stage.handle(
    gone({ endpointId: endpoint.id, endpointVersion: 1 }),
    AbortSignal.abort(),
  );

  expect(audited.at(-1)).toMatchObject({
    actor: "postrider",
    action: "disabled",
    why: expect.stringContaining("gone"),
    requestId: "",
  });
});

test("a change whose audit record cannot be made is not written, and the owner stays", async () => {
  const { writer, log, audited, state } = aWriter();
  const { endpoint } = await writer.create(creation, CAUSE);
  state.isAuditUnfit = true;

  const change = writer.change(endpoint.id, AT_1, describe);

  await expect(change).rejects.toThrow("unfit");
  expect([log.length, audited.length]).toEqual([1, 1]);
  expect(state.ended).toEqual([]);
});
