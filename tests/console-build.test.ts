/** The builder of the console's pages, in processes of its own as everybody runs it: its native part does not take what jest's modules hand it. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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
    await Promise.all([build(), build()]);

    expect(readdirSync(parent)).toEqual(["console"]);
    const assets = join(folder, "assets");
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
