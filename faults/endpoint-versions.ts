/** Reads every version of an endpoint that is in the log, with its secrets opened: the log is the only place that knows which secrets there were. */
import { secretAad, type Endpoint, type EpochMs } from "@postrider/core";
import { createSchemas } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { readTopics, testEffects } from "@postrider/testkit";
import { endpointIdOf, KEY, type Behaviour } from "./endpoints.ts";
import type { World } from "./world.ts";

export interface Secret {
  readonly text: string;
  readonly expiresAt: EpochMs | null;
}

export interface EndpointVersion {
  readonly writtenAt: EpochMs;
  readonly secrets: readonly Secret[];
}

export async function versionsOf(
  world: World,
  behaviour: Behaviour,
): Promise<EndpointVersion[]> {
  const { kafka, prefix } = world;
  const schemas = createSchemas({ ...testEffects(), kafka, prefix });
  await schemas.start();
  try {
    const decode = schemas.decoderOf("endpoints");
    const versions: EndpointVersion[] = [];
    for (const record of await readTopics(kafka, [world.topic("endpoints")])) {
      const decoded = decode(record);
      if (decoded.kind !== "decoded") continue;
      if (decoded.value.id !== endpointIdOf(behaviour)) continue;
      const writtenAt = record.timestamp;
      versions.push({ writtenAt, secrets: opened(decoded.value) });
    }
    return versions;
  } finally {
    await schemas.stop(Date.now() + 5_000);
  }
}

function opened({ id, tenantId, secrets }: Endpoint): Secret[] {
  const keyRing = createKeyRing([KEY]);
  return secrets.map((secret) => ({
    text: keyRing
      .open(secret, secretAad(tenantId, id, secret.id))
      .toString("utf8"),
    expiresAt: secret.expiresAt,
  }));
}
