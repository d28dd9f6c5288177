/** Every secret that comes in by control's API, or that control makes, and what the command takes from the environment, a file or its line. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ed25519, made, P, whsec, whsk } from "./plants.ts";
import { anEventWith, bearer } from "./through-events.ts";
import type { World } from "./world.ts";

/** What was made, by its id. */
export interface Made {
  /** Has most headers and secrets. */
  readonly endpoint: string;
  /** At the path `/patched`. */
  readonly patched: string;
  /** Nothing that is sent to it is waited for. */
  readonly spare: string;
  readonly key: string;
}

/** Every secret that an operator or a tenant gives to control, or that control makes. */
export async function plantInControl(world: World): Promise<Made> {
  const endpoint = (fields: object) => ({
    body: {
      tenantId: "acme",
      url: world.to("/endpoint"),
      eventTypes: ["order.paid"],
      ...fields,
    },
  });
  const create = "POST /v1/endpoints";
  const { id } = await world.ask(
    "control",
    create,
    endpoint({
      secret: P.given.text,
      headers: {
        ...bearer(P.endpointHeader),
        "x-route": P.innocentHeader.text,
      },
    }),
  );
  const patched = await world.ask(
    "control",
    create,
    endpoint({
      url: world.to("/patched"),
      secret: `whsec_${whsec.text}`,
    }),
  );
  await world.ask("control", "PATCH /v1/endpoints/:id", {
    id: patched.id,
    body: { headers: bearer(P.patchedHeader) },
  });
  await world.ask(
    "control",
    create,
    endpoint({ secret: `whsk_${whsk.bytes[0]!.toString("base64")}` }),
  );
  const own = await world.ask<{ id: string; secret: string }>(
    "control",
    create,
    endpoint({}),
  );
  made.push({ name: "made secret", text: own.secret.replace("whsec_", "") });
  const { secret: pair } = await world.ask<{ secret: string }>(
    "control",
    create,
    endpoint({ secretType: "ed25519" }),
  );
  const seed = Buffer.from(pair.replace("whsk_", ""), "base64");
  made.push(ed25519("made whsk_", seed.subarray(0, 32)));
  await world.ask("control", "POST /v1/endpoints/:id/rotate-secret", {
    id,
    body: { secret: P.rotated.text },
  });
  const withPassword = endpoint({
    url: `https://user:${P.urlPassword.text}@example.com/`,
  });
  await world.ask("control", create, withPassword);
  await world.ask("control", "POST /v1/endpoints/validate", withPassword);
  const { id: key, token } = await world.ask<{ id: string; token: string }>(
    "control",
    "POST /v1/keys",
    {
      body: { name: "tests", role: "publisher", tenantId: "acme" },
    },
  );
  made.push({ name: "API key", text: token.split("_")[2]! });
  await world.ask("ingest", "POST /v1/events", {
    body: anEventWith({}),
    headers: {
      authorization: `Bearer ${token}`,
      "idempotency-key": P.idempotencyKey.text,
    },
  });
  for (const name of ["control", "ingest"] as const)
    await world.ask(
      name,
      name === "control" ? "GET /v1/keys" : "POST /v1/events",
      {
        headers: {
          authorization: `Bearer prk_0123456789abcdef_${P.wrongKey.text}`,
        },
        ...(name === "ingest" && { body: anEventWith({}) }),
      },
    );
  await applyFile(world);
  const to = world.to("/published");
  const secret = P.published.text;
  await command(
    world,
    `publish --tenant acme --type order.paid --payload {} --to ${to} --secret ${secret}`.split(
      " ",
    ),
  );
  return { endpoint: id, patched: patched.id, spare: own.id, key };
}

/** `endpoints apply` with references to the environment and to a file; once to see, once to do. */
async function applyFile(world: World): Promise<void> {
  const file = world.fileOf(
    "endpoints.yaml",
    `tenantId: acme
endpoints:
  - externalId: applied
    url: ${world.to("/applied")}
    eventTypes: ["order.paid"]
    secret: { env: THE_SECRET }
    headers: { authorization: { env: THE_HEADER } }
  - externalId: applied-file
    url: ${world.to("/applied")}
    eventTypes: ["order.paid"]
    secret: { file: ${world.fileOf("applied-secret", P.appliedFile.text)} }
`,
  );
  const apply = ["endpoints", "apply", "-f", file];
  await command(world, [...apply, "--dry-run"]);
  await command(world, apply);
}

async function command(world: World, args: readonly string[]): Promise<void> {
  const bin = fileURLToPath(
    new URL("../../packages/cli/bin/postrider.js", import.meta.url),
  );
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [bin, ...args],
    {
      cwd: world.folder,
      env: {
        PATH: process.env["PATH"],
        POSTRIDER_CONTROL_URL: world.service("control").url!,
        POSTRIDER_INGEST_URL: world.service("ingest").url!,
        POSTRIDER_ADMIN_KEY: P.adminKey.text,
        THE_SECRET: P.applied.text,
        THE_HEADER: `Bearer ${P.appliedHeader.text}`,
      },
    },
  );
  world.places.push([`command ${args[0]}`, stdout + stderr]);
}
