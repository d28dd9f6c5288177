import { expect, test } from "@jest/globals";
import { secretAad, type Endpoint } from "@postrider/core";
import { createKeyRing } from "@postrider/runtime";
import { publicKeyOf as plainPublicKeyOf } from "@postrider/signing";
import {
  anEndpoint,
  aSealedSecret,
  BUILT_AT,
  fakeClock,
  testEffects,
} from "@postrider/testkit";
import { createPublicKeys } from "./public-keys.ts";
import { createSecretMaker } from "./secret-maker.ts";
import { createSecretRotation, rotatedEndpoint } from "./secret-rotation.ts";

const HOUR = 3_600_000;
const TERMS = {
  condition: 1,
  callersTenant: null,
  cause: { actor: "admin", why: "", requestId: "" },
} as const;
const keyRing = createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]);
const ED25519 =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

const rotate = (
  endpoint: Endpoint,
  id: string,
  overlapMs: number,
  now: number,
) =>
  rotatedEndpoint(endpoint, aSealedSecret({ id, createdAt: now }), {
    overlapMs,
    now,
  });
const secretsOf = ({ secrets }: Endpoint) =>
  secrets.map(({ id, expiresAt }) => [
    id,
    expiresAt === null ? null : expiresAt - BUILT_AT,
  ]);

test("the old secret ends with the overlap, and the new one stays", () => {
  const after = rotate(anEndpoint(), "sec_2", 24 * HOUR, BUILT_AT);

  expect(after.version).toBe(2);
  expect(secretsOf(after)).toEqual([
    ["sec_1", 24 * HOUR],
    ["sec_2", null],
  ]);
});

test("without an overlap only the new secret is left", () => {
  const once = rotate(anEndpoint(), "sec_2", 24 * HOUR, BUILT_AT);

  const after = rotate(once, "sec_3", 0, BUILT_AT + HOUR);

  expect(secretsOf(after)).toEqual([["sec_3", null]]);
});

test("a second rotation never lengthens an overlap, and may shorten it", () => {
  const once = rotate(anEndpoint(), "sec_2", 2 * HOUR, BUILT_AT);

  const longer = rotate(once, "sec_3", 24 * HOUR, BUILT_AT);
  const shorter = rotate(once, "sec_3", HOUR, BUILT_AT);

  expect(secretsOf(longer)[0]).toEqual(["sec_1", 2 * HOUR]);
  expect(secretsOf(shorter)[0]).toEqual(["sec_1", HOUR]);
});

test("an endpoint has five valid secrets at most; expired ones do not count", () => {
  let endpoint = anEndpoint();
  for (const nth of [2, 3, 4, 5])
    endpoint = rotate(endpoint, `sec_${nth}`, HOUR, BUILT_AT);

  expect(() => rotate(endpoint, "sec_6", HOUR, BUILT_AT)).toThrow(
    expect.objectContaining({
      code: "conflict",
      errors: [expect.objectContaining({ field: "secrets", rule: "max" })],
      message: expect.stringContaining("2026-01-01T01:00:00.000Z"),
    }),
  );
  const after = rotate(endpoint, "sec_6", HOUR, BUILT_AT + HOUR);
  expect(secretsOf(after)).toEqual([
    ["sec_5", 2 * HOUR],
    ["sec_6", null],
  ]);
});

/** A rotation of one endpoint, which is changed in memory. */
function aRotation(secret: string, fields: Partial<Endpoint> = {}) {
  const clock = fakeClock(BUILT_AT);
  const effects = testEffects({ clock });
  const secrets = createSecretMaker(keyRing, clock);
  const publicKeyOf = createPublicKeys(keyRing, effects.log);
  const { sealed } = secrets.make("acme", "ep_1", { secret });
  let endpoint = anEndpoint({ id: "ep_1", secrets: [sealed], ...fields });
  const run = createSecretRotation({
    secrets,
    publicKeyOf,
    writer: {
      change: async (_id, _condition, apply) =>
        (endpoint = apply(endpoint, clock.now())),
      create: () => Promise.reject(new Error("not used")),
      remove: () => Promise.reject(new Error("not used")),
      reseal: () => Promise.reject(new Error("not used")),
    },
  });
  const opened = (at: number): string => {
    const one = endpoint.secrets.at(at);
    if (one === undefined) throw new Error("no secret");
    return keyRing.open(one, secretAad("acme", "ep_1", one.id)).toString();
  };
  return { run, opened, publicKeyOf, effects, stored: () => endpoint };
}

test("the secret that is shown is the one that is sealed", async () => {
  const { run, opened } = aRotation("hush");

  const { secret } = await run("ep_1", TERMS, { overlapMs: HOUR });

  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
  expect(opened(-1)).toBe(secret);
  expect(opened(0)).toBe("hush");
});

test("a new secret is of the type of the newest, unless the caller says", async () => {
  const rotated = aRotation(ED25519);

  const kept = await rotated.run("ep_1", TERMS, { overlapMs: HOUR });
  const changed = await rotated.run("ep_1", TERMS, {
    overlapMs: HOUR,
    secretType: "hmac",
  });

  expect(kept.secret).toMatch(/^whsk_[A-Za-z0-9+/]{86}==$/);
  expect(changed.secret).toMatch(/^whsec_/);
  const { publicKeyOf, stored } = rotated;
  const keys = stored().secrets.map((one) => publicKeyOf(stored(), one));
  expect(keys).toEqual([
    "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
    plainPublicKeyOf(kept.secret),
    null,
  ]);
});

test("an endpoint with hmac-hex refuses an ed25519 key", async () => {
  const { run, stored } = aRotation("hush", { signing: ["hmac-hex"] });

  await expect(
    run("ep_1", TERMS, { overlapMs: HOUR, secret: ED25519 }),
  ).rejects.toMatchObject({
    code: "invalid",
    errors: [{ field: "signing", rule: "hmac_secret" }],
  });
  expect(stored().version).toBe(1);
});

test("where the newest secret does not open, the caller says of which type the new one is, or gives it", async () => {
  const foreign = aSealedSecret({ kid: "gone" });
  const { run, stored } = aRotation("hush", { secrets: [foreign] });

  await expect(run("ep_1", TERMS, { overlapMs: HOUR })).rejects.toMatchObject({
    code: "conflict",
    errors: [{ field: "secretType", rule: "required" }],
  });
  expect(stored().version).toBe(1);
  const { secret } = await run("ep_1", TERMS, {
    overlapMs: HOUR,
    secret: ED25519,
  });
  expect(secret).toBe(ED25519);
});

test("a secret that does not open has no public key, and a new one can be made all the same", async () => {
  const foreign = aSealedSecret({ kid: "gone" });
  const rotated = aRotation("hush", { secrets: [foreign] });
  const { publicKeyOf, effects, stored } = rotated;

  expect(publicKeyOf(stored(), foreign)).toBeUndefined();
  const { secret } = await rotated.run("ep_1", TERMS, {
    overlapMs: 0,
    secretType: "hmac",
  });

  expect(secret).toMatch(/^whsec_/);
  expect(effects.log.of("secret.unavailable")).toHaveLength(1);
});
