import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { fakeClock, testEffects } from "@postrider/testkit";
import { commonConfig } from "./common-config.ts";
import { readConfig } from "./config.ts";
import { createLiveKeyRing } from "./live-key-ring.ts";

const folder = mkdtempSync(join(tmpdir(), "postrider-key-ring-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const key = (id: string, byte: number): string =>
  `${id}:${Buffer.alloc(32, byte).toString("base64")}`;
const STALE = "postrider_encryption_keys_stale";
const POSITION = "postrider_encryption_key_position";
const [K1, K2] = [key("k1", 1), key("k2", 2)] as const;

/** A ring whose file the test writes. */
function aRing(text: string) {
  const path = join(folder, "keys");
  const clock = fakeClock();
  const effects = testEffects({ clock });
  writeFileSync(path, text);
  const { encryptionKeys } = readConfig(
    { POSTRIDER_ENCRYPTION_KEYS_FILE: path },
    { encryptionKeys: commonConfig.encryptionKeys },
  );
  const ring = createLiveKeyRing(encryptionKeys, effects);
  return {
    ring,
    effects,
    write(next: string) {
      writeFileSync(path, next);
      clock.advance(1_000);
    },
    lines: effects.log.of,
    /** The lines of the metrics page that begin with `name`. */
    metrics: async (name: string) =>
      (await effects.meter.render())
        .split("\n")
        .filter((line) => line.startsWith(name)),
  };
}

test("a key that is added opens, put first it seals, and what the old one sealed still opens", () => {
  const { ring, write, lines } = aRing(K1);
  const old = ring.seal(Buffer.from("s"), "a");

  write(`${K1},${K2}`);
  const between = ring.seal(Buffer.from("s"), "a");
  write(`${K2},${K1}`);
  const fresh = ring.seal(Buffer.from("s"), "a");

  expect([old.kid, between.kid, fresh.kid]).toEqual(["k1", "k1", "k2"]);
  expect(ring.open(old, "a").toString()).toBe("s");
  expect(lines("encryptionKeys.changed")).toMatchObject([
    { level: "info", fields: { newest: "k1", added: ["k2"], removed: [] } },
    { level: "info", fields: { newest: "k2", added: [], removed: [] } },
  ]);
});

test.each([
  ["half a key", "k2:AAAA", "key 1 (k2) has 3 bytes"],
  ["nothing", "", "key 1 is not of the form id:base64"],
  ["an old id with other bytes", key("k1", 9), "key k1 has other bytes"],
])(
  "a file with %s changes nothing, and the log says once why",
  async (_what, text, why) => {
    const { ring, metrics, write, lines } = aRing(K1);
    const old = ring.seal(Buffer.from("s"), "a");

    write(text);
    ring.seal(Buffer.from("s"), "a");
    write(text);

    expect(ring.open(old, "a").toString()).toBe("s");
    const told = lines("encryptionKeys.notReadAgain");
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      level: "warn",
      fields: { variable: "POSTRIDER_ENCRYPTION_KEYS_FILE" },
    });
    expect(String(told[0]?.fields["error"])).toContain(why);
    expect(await metrics(STALE)).toEqual([`${STALE}{service="test"} 1`]);
    write(`${K2},${K1}`);
    expect(ring.seal(Buffer.from("s"), "a").kid).toBe("k2");
    expect(await metrics(STALE)).toEqual([`${STALE}{service="test"} 0`]);
  },
);

test("a key that is taken out is warned of, and what it sealed no longer opens until it is given back", async () => {
  const { ring, metrics, write, lines } = aRing(`${K2},${K1}`);
  write(`${K1}`);
  const old = ring.seal(Buffer.from("s"), "a");

  write(K2);

  expect(() => ring.open(old, "a")).toThrow("sealed with key k1");
  expect(lines("encryptionKeys.changed").at(-1)).toMatchObject({
    level: "warn",
    fields: { newest: "k2", removed: ["k1"] },
  });
  expect(await metrics(POSITION)).toEqual([
    `${POSITION}{key="k2",service="test"} 1`,
    `${POSITION}{key="k1",service="test"} 0`,
  ]);
  write(`${K2},${K1}`);
  expect(ring.open(old, "a").toString()).toBe("s");
});

test("the file is read once a second at most", () => {
  let reads = 0;
  const keys = [{ kid: "k1", key: Buffer.alloc(32, 1) }];
  const clock = fakeClock();
  const ring = createLiveKeyRing(() => ((reads += 1), keys), {
    ...testEffects({ clock }),
  });

  for (let nth = 0; nth < 100; nth += 1) ring.seal(Buffer.from("s"), "a");

  expect(reads).toBe(1);
});
