/** What else happens to a secret: its endpoint is paused and resumed, its delivery sent again, its key replaced; and what ends it all. */
import { waitFor } from "@postrider/testkit";
import { newerKey } from "./plants.ts";
import type { Made } from "./through-control.ts";
import { anEventWith } from "./through-events.ts";
import type { World } from "./world.ts";

/** How many requests came to the path, of those whose body has the text. */
export function got(world: World, path: string, text = ""): number {
  return world.receiver.requests.filter(
    (request) => request.path === path && String(request.body).includes(text),
  ).length;
}

/** An event comes while its endpoint is paused, and is delivered by the resume. */
export async function pauseAndResume(
  world: World,
  { patched: id }: Made,
): Promise<void> {
  await world.ask("control", "POST /v1/endpoints/:id/pause", { id });
  const payload = { form: "parked" };
  await world.ask("ingest", "POST /v1/events", {
    body: anEventWith({ payload }),
  });
  await waitFor(
    async () =>
      String(
        await world.selected(
          `SELECT count() > 0 FROM dead_letters WHERE reason = 'paused' AND endpoint_id = '${id}'`,
        ),
      ).trim() === "1",
    { timeoutMs: 90_000, what: "a parked delivery" },
  );
  await world.ask("control", "POST /v1/endpoints/:id/resume", { id });
  await waitFor(() => got(world, "/patched", "parked") > 0, {
    timeoutMs: 90_000,
    what: "what was parked to be delivered",
  });
}

/** The delivery with a secret of its own is given up, and sent again. Resolves to the replay's id. */
export async function sendAgain(world: World): Promise<string> {
  const { deliveries } = await world.ask<{
    deliveries: readonly { readonly id: string; readonly endpointId: string }[];
  }>("control", "GET /v1/deliveries?status=expired&limit=100");
  const inline = deliveries.filter(({ endpointId }) =>
    endpointId.startsWith("inline_"),
  );
  const selection = {
    tenantId: "acme",
    deliveryIds: inline.map(({ id }) => id),
  };
  const before = got(world, "/fails");
  await world.ask("control", "POST /v1/replays/preview", { body: selection });
  const { id } = await world.ask("control", "POST /v1/replays", {
    body: { ...selection, confirm: true },
  });
  await waitFor(() => got(world, "/fails") > before, {
    timeoutMs: 90_000,
    what: "the delivery to be sent again",
  });
  // One that does not end while it is steered.
  const { id: slow } = await world.ask("control", "POST /v1/replays", {
    body: {
      tenantId: "acme",
      statuses: ["delivered"],
      ratePerSecond: 1,
      confirm: true,
    },
  });
  for (const how of ["pause", "resume", "cancel"])
    await world.ask("control", `POST /v1/replays/:id/${how}`, { id: slow });
  return id;
}

/** Everything is sealed with a newer key, and then used. */
export async function sealAnew(
  world: World,
  { endpoint: id }: Made,
): Promise<void> {
  await world.addKey("k2", newerKey);
  await world.ask("control", "POST /v1/secrets/reencrypt", { body: {} });
  const before = got(world, "/endpoint", "postrider.test");
  await world.ask("control", "POST /v1/endpoints/:id/test", { id });
  await waitFor(() => got(world, "/endpoint", "postrider.test") > before, {
    timeoutMs: 90_000,
    what: "a test event that is signed with what was sealed anew",
  });
}

/** A type, and what the tenant's events are held to. Resolves to the type's name. */
export async function describeTypes(world: World): Promise<string> {
  const type = { name: "order.paid", tenantId: "acme" };
  await world.ask("control", "POST /v1/event-types", { body: type });
  await world.ask("control", "PATCH /v1/event-types/:name?tenantId=acme", {
    id: type.name,
    body: { description: "An order was paid" },
  });
  await world.ask("control", "PUT /v1/event-type-policies/:tenantId", {
    id: "acme",
    body: { level: "off" },
  });
  return type.name;
}

/** After everything was read: what takes away. */
export async function takeAway(
  world: World,
  { spare: id, key }: Made,
  type: string,
): Promise<void> {
  for (const route of ["pause", "resume", "disable", "enable"])
    await world.ask("control", `POST /v1/endpoints/:id/${route}`, { id });
  await world.ask("control", "DELETE /v1/endpoints/:id/resume", { id });
  await world.ask("control", "DELETE /v1/endpoints/:id", { id });
  await world.ask("control", "DELETE /v1/event-types/:name?tenantId=acme", {
    id: type,
  });
  await world.ask("control", "DELETE /v1/keys/:id", { id: key });
}
