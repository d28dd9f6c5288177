/** Every secret that comes in by control's API, or that control makes, and what `endpoints apply` takes from the environment. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { made, P, whsec } from "./plants.ts";
import { anEventWith, bearer } from "./through-events.ts";
import type { World } from "./world.ts";

/** Every secret that an operator or a tenant gives to control, or that control makes. */
export async function plantInControl(world: World): Promise<void> {
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
  await world.ask(
    "control",
    create,
    endpoint({ secret: `whsec_${whsec.text}` }),
  );
  const own = await world.ask<{ secret: string }>(
    "control",
    create,
    endpoint({}),
  );
  made.push({ name: "made secret", text: own.secret.replace("whsec_", "") });
  await world.ask("control", "POST /v1/endpoints/:id/rotate-secret", {
    id,
    body: { secret: P.rotated.text },
  });
  const withPassword = endpoint({
    url: `https://user:${P.urlPassword.text}@example.com/`,
  });
  await world.ask("control", create, withPassword);
  await world.ask("control", "POST /v1/endpoints/validate", withPassword);
  const { token } = await world.ask<{ token: string }>(
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
}

/** `endpoints apply` with references to the environment; once to see, once to do. */
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
`,
  );
  const bin = fileURLToPath(
    new URL("../../packages/cli/bin/postrider.js", import.meta.url),
  );
  for (const more of [["--dry-run"], []]) {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [bin, "endpoints", "apply", "-f", file, ...more],
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
    world.places.push(["command apply", stdout + stderr]);
  }
}
