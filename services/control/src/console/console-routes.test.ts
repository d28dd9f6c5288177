import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, expect, test } from "@jest/globals";
import { createApiServer, KnownKeys } from "@postrider/http";
import { testEffects } from "@postrider/testkit";
import { CONSOLE_POLICY, consoleRoutes } from "./console-routes.ts";

const folder = mkdtempSync(join(tmpdir(), "postrider-console-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SCRIPT = "console.log(1)";
mkdirSync(join(folder, "built/assets"), { recursive: true });
writeFileSync(join(folder, "built/index.html"), "<!doctype html><p>console");
writeFileSync(join(folder, "built/assets/index-a1_B.js"), SCRIPT);
writeFileSync(join(folder, "built/assets/index-a1_B.js.gz"), gzipSync(SCRIPT));
const SHARED = "list.module-a1_B.css";
writeFileSync(join(folder, "built/assets", SHARED), "a{}");
writeFileSync(join(folder, "built/secret.js"), "not an asset");

function appOf(built: string) {
  const url = pathToFileURL(`${join(folder, built)}/`);
  return createApiServer({
    ...testEffects(),
    name: "test",
    host: "127.0.0.1",
    port: 0,
    adminKey: "admin",
    keys: new KnownKeys(),
    maxBodyBytes: 1_000,
    routes: [consoleRoutes(url)],
    description: { title: "", description: "", tags: { console: "" } },
    onAnswered: () => undefined,
  }).app;
}
const app = appOf("built");

test("the page needs no key, is not kept, and runs only scripts of its own origin", async () => {
  const { statusCode, headers, body } = await app.inject("/");

  expect([statusCode, body]).toEqual([200, "<!doctype html><p>console"]);
  expect(headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": CONSOLE_POLICY,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  });
  expect(CONSOLE_POLICY).not.toMatch(/unsafe|\*|data:|https?:/);
});

test("a script is kept for good, and comes packed to who takes that", async () => {
  const url = "/assets/index-a1_B.js";

  const plain = await app.inject({ url });
  const packed = await app.inject({
    url,
    headers: { "accept-encoding": "br, gzip" },
  });

  expect(plain.body).toBe(SCRIPT);
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(gunzipSync(packed.rawPayload).toString()).toBe(SCRIPT);
  expect(packed.headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "content-encoding": "gzip",
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
    "x-content-type-options": "nosniff",
  });
});

test("what pages share may have a dot more in its name", async () => {
  const { statusCode, body } = await app.inject(`/assets/${SHARED}`);

  expect([statusCode, body]).toEqual([200, "a{}"]);
});

test.each(["gzip;q=0", "br", "gzip; q=0.0, br", "notgzip"])(
  "%s takes no gzip",
  async (given) => {
    const { headers } = await app.inject({
      url: "/assets/index-a1_B.js",
      headers: { "accept-encoding": given },
    });

    expect(headers["content-encoding"]).toBeUndefined();
  },
);

test.each([
  "/assets/..%2Fsecret.js",
  "/assets/..%2f..%2fbuilt%2fsecret.js",
  "/assets/%2e%2e%2fsecret.js",
  "/assets/index-a1_B.js.gz",
  "/assets/none.js",
  "/assets/a..js",
  "/assets/.a.js",
  "/assets/index-a1_B",
  "/assets/a.constructor",
])("%s is no file of the console", async (url) => {
  const { statusCode, body } = await app.inject({ url });

  expect(statusCode).toBe(404);
  expect(body).not.toContain("not an asset");
});

test("where it is not built, the command that builds it is named", async () => {
  const { statusCode, body } = await appOf("nothing").inject("/");

  expect(statusCode).toBe(404);
  const [, command] = /npm run (\w+)/.exec(body) ?? [];
  const root = new URL("../../../../package.json", import.meta.url);
  expect(JSON.parse(readFileSync(root, "utf8"))).toMatchObject({
    scripts: { [command ?? ""]: expect.any(String) },
  });
});
