/** The bundle that goes into the image: what is in it, and that everything runs from it. `npm run image:check` runs this file. */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { newKeys, SERVICES } from "@postrider/cli";
import { createPortPicker } from "@postrider/runtime";
import { rowsOf, startReceiver, useStack, waitFor } from "@postrider/testkit";
import { how, runContained, type Contained } from "./contained.ts";

/** Generous, because the machine may be busy with other work. */
const PATIENCE_MS = 60_000;
const LONG = 200_000;
const MAX_BYTES = 20e6;

const stack = useStack();
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "postrider-bundle-"));
const started: Contained[] = [];
const ports = createPortPicker();
let files: readonly string[] = [];

beforeAll(() => {
  execFileSync(
    process.execPath,
    [join(root, "scripts/run.js"), "bundle", folder],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  chmodSync(folder, 0o755); // for another user; mkdtemp makes it ours alone
  files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => statSync(join(folder, name)).isFile(),
  );
}, LONG);
afterAll(async () => {
  for (const one of started) one.signal("SIGKILL");
  await Promise.all(started.map(({ exited }) => exited));
  rmSync(folder, { recursive: true, force: true });
}, LONG);

const environment = {
  PATH: process.env["PATH"],
  KAFKA_BROKERS: stack.brokers.join(","),
  CLICKHOUSE_URL: stack.clickhouseUrl,
  POSTRIDER_TOPIC_PREFIX: stack.prefix,
  POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
  POSTRIDER_TIERS: "1s,2s",
  POSTRIDER_ALLOW_HTTP: "true",
  POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
  POSTRIDER_ENCRYPTION_KEYS: newKeys().encryptionKeys,
  POSTRIDER_ADMIN_KEY: "admin",
};

function run(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = environment,
): Contained {
  const one = runContained([join(folder, "postrider.js"), ...args], env);
  started.push(one);
  return one;
}

async function done(line: string, env = {}): Promise<[number | null, string]> {
  const one = run(line.split(" "), { PATH: process.env["PATH"], ...env });
  return [await one.exited, one.output()];
}

test("the bundle holds JavaScript, addons, schemas, migrations and texts, and no more", () => {
  const kinds = new Set(
    files.map((name) =>
      name
        .replace(/^[\w.-]+(?=\.(js|node)$)/, "*")
        // A chunk that pages share has the name of a file with two endings.
        .replace(/^(console\/assets\/)[\w-]+(\.module-[\w-]+)?/, "$1*"),
    ),
  );
  const schemas = readdirSync(join(root, "schemas"))
    .filter((name) => name.endsWith(".avsc"))
    .map((name) => `schemas/${name}`);
  const migrations = readdirSync(
    join(root, "services/recorder/migrations"),
  ).map((name) => `migrations/${name}`);

  expect([...kinds].toSorted()).toEqual(
    [
      "*.js *.node package.json sbom.cdx.json LICENSE licenses.txt".split(" "),
      schemas,
      migrations,
      ["console/index.html"],
      ["js", "css", "svg"].flatMap((kind) => [
        `console/assets/*.${kind}`,
        `console/assets/*.${kind}.gz`,
      ]),
    ]
      .flat()
      .toSorted(),
  );
  for (const name of ["postrider", ...SERVICES])
    expect(files).toContain(`${name}.js`);
  const bytes = files.map((name) => statSync(join(folder, name)).size);
  expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(MAX_BYTES);
});

test("the SBOM lists exactly the packages that are in the bundle, none of them for development", () => {
  const text = files
    .filter((name) => name.endsWith(".js"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
  // The bundler names each module's file above it.
  const inCode = [
    ...text.matchAll(
      /^ *\/\/ (?:.*\/)?node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm,
    ),
  ].map((match) => match[1] ?? "");
  const { components } = JSON.parse(
    readFileSync(join(folder, "sbom.cdx.json"), "utf8"),
  ) as { components: { name: string; version: string; purl: string }[] };
  const names = components.map(({ name }) => name);
  const { packages } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  ) as { packages: Record<string, { dev?: boolean; version: string }> };

  expect(names).toContain("kafkajs");
  expect([...new Set(inCode)].filter((name) => !names.includes(name))).toEqual(
    [],
  );
  // The console's code is minified and names none; what is said of it must come from its own dependencies.
  const inConsole = names.filter((name) => !inCode.includes(name));
  expect(inConsole).toEqual(
    expect.arrayContaining(["react", "react-dom", "@mantine/core"]),
  );
  expect(
    inConsole.filter((name) => packages[`node_modules/${name}`]?.dev !== true),
  ).toEqual([]);
  expect(new Set(components.map(({ purl }) => purl)).size).toBe(names.length);
  expect(
    names.filter((name) =>
      /testcontainers|ffi-rs|chdb|typescript|jest|swc|esbuild|^node-|^npm$/.test(
        name,
      ),
    ),
  ).toEqual([]);
  const locked = Object.entries(packages).map(
    ([path, { version }]) => `${path.split("node_modules/").at(-1)} ${version}`,
  );
  expect(
    components.filter(
      ({ name, version }) => !locked.includes(`${name} ${version}`),
    ),
  ).toEqual([]);
});

test(
  `all services run from the bundle ${how}: an event is delivered and has its row, and SIGTERM ends each with 0`,
  async () => {
    const applied = await done("topics apply", environment);
    const migrated = await done("migrate", environment);
    expect(applied).toEqual([0, expect.stringContaining("deliveries")]);
    expect(migrated).toEqual([0, expect.stringContaining("up to date")]);
    const urls = new Map<string, string>();
    const services = await Promise.all(
      SERVICES.map(async (name) => {
        const admin = await ports.pick(0);
        const api = await ports.pick(0);
        urls.set(name, `http://127.0.0.1:${api}`);
        const service = run(["start", name], {
          ...environment,
          POSTRIDER_ADMIN_PORT: String(admin),
          POSTRIDER_PORT: String(api),
        });
        await waitFor(
          async () =>
            service.hasExited() ||
            (await fetch(`http://127.0.0.1:${admin}/readyz`)).ok,
          { what: `${name} to be ready`, timeoutMs: PATIENCE_MS },
        );
        expect(service.hasExited() ? service.output() : "").toBe("");
        return service;
      }),
    );
    const receiver = await startReceiver();
    const id = randomUUID();
    try {
      const published = await fetch(`${urls.get("ingest")}/v1/events`, {
        method: "POST",
        headers: {
          authorization: "Bearer admin",
          "content-type": "application/json",
        },
        body: JSON.stringify({
          id,
          type: "order.paid",
          tenantId: "acme",
          payload: {},
          destination: { url: receiver.url, secret: "hush" },
        }),
      });
      expect(published.status).toBe(202);
      await receiver.waitForRequests(1, { timeoutMs: PATIENCE_MS });
      const [row] = await waitFor(
        async () => {
          const rows = await rowsOf<{ outcome: string }>(
            stack.clickhouseUrl,
            `SELECT outcome FROM ${stack.database}.attempts WHERE event_id = {id:String}`,
            { id },
          );
          return rows.length > 0 && rows;
        },
        { what: "the row", everyMs: 200, timeoutMs: PATIENCE_MS },
      );
      expect(row).toEqual({ outcome: "delivered" });
    } finally {
      await receiver.close();
    }
    for (const service of services) service.signal("SIGTERM");
    const codes = await Promise.all(services.map(({ exited }) => exited));

    expect(codes).toEqual(SERVICES.map(() => 0));
    for (const service of services)
      expect(service.output()).toContain('"reason":"SIGTERM"');
  },
  LONG,
);

test("what cannot be done from the bundle, or is not there, is said in words", async () => {
  const [dev, unknown, refused, version] = await Promise.all([
    done("dev"),
    done("start nothing"),
    done("start ingest"),
    done("--version"),
  ]);

  expect(dev).toEqual([5, expect.stringContaining("in a checkout")]);
  expect(unknown).toEqual([2, expect.stringContaining("dispatcher")]);
  expect(refused).toEqual([2, expect.stringContaining("KAFKA_BROKERS")]);
  expect(version).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
});
