/** The builder of the console's pages, in processes of its own as everybody runs it: its native part does not take what jest's modules hand it. */
import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "@jest/globals";

const LONG = 200_000;
const parent = mkdtempSync(join(tmpdir(), "postrider-console-build-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const BUILDER = new URL("../scripts/console-build.ts", import.meta.url).href;
const folder = join(parent, "console");

/** `NODE_ENV` is jest's here, as in each test that builds them. */
async function build(): Promise<void> {
  const program = `import { buildConsole } from ${JSON.stringify(BUILDER)}; await buildConsole(${JSON.stringify(folder)});`;
  await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", program],
    { env: { ...process.env, NODE_ENV: "test" } },
  );
}

test(
  "two at once make the same pages and leave nothing else, and React is never its development build",
  async () => {
    const assets = join(folder, "assets");
    // Of another state: so many that deleting them takes a while.
    mkdirSync(assets, { recursive: true });
    for (let n = 0; n < 5_000; n += 1)
      writeFileSync(join(assets, `old-${n}.js`), "");
    await Promise.all([build(), build()]);

    expect(readdirSync(parent)).toEqual(["console"]);
    expect(
      readdirSync(assets).filter((name) => name.startsWith("old")),
    ).toEqual([]);
    const code = readdirSync(assets)
      .filter((name) => name.endsWith(".js"))
      .map((name) => readFileSync(join(assets, name), "utf8"))
      .join("\n");
    expect(code).not.toBe("");
    expect(code.includes("React DevTools")).toBe(false);
    expect(code.includes("jsxDEV")).toBe(false);
  },
  LONG,
);
