/** What is other in the bundle than in a checkout, as a plugin of esbuild. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Plugin } from "esbuild";

/** Files whose place another one takes, relative to the repository. */
const SUBSTITUTES: Readonly<Record<string, string>> = {
  "packages/runtime/src/installation.ts": "deploy/bundle/installation.ts",
  "packages/cli/src/commands/dev.ts": "deploy/bundle/dev.ts",
  "packages/local-stack/src/registry-alone.ts":
    "deploy/bundle/registry-alone.ts",
  "packages/local-stack/src/start-stack.ts": "deploy/bundle/start-stack.ts",
};

/** Fails the build if a substitute was not used: its file has moved. */
export function asBundle(root: string): Plugin {
  const unused = new Map(
    Object.entries(SUBSTITUTES).map(([from, to]) => [
      join(root, from),
      join(root, to),
    ]),
  );
  const substitutes = new Map(unused);
  return {
    name: "as-bundle",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
        const original = resolve(resolveDir, path);
        const substitute = substitutes.get(original);
        if (substitute === undefined) return undefined;
        unused.delete(original);
        return { path: substitute };
      });
      // esbuild follows `require` only, and messaging names it `load` (`createRequire`).
      build.onLoad(
        { filter: /\/packages\/messaging\/src\/.*\.ts$/ },
        async ({ path }) => {
          const text = await readFile(path, "utf8");
          const contents = text.replaceAll(/\bload\((?=\s*")/g, "require(");
          return { contents, loader: "ts" };
        },
      );
      // An `import` of node:http evaluates its lazy exports. One of them, WebSocket, loads Node's own undici: 14 MB and 60 ms
      // of CPU for each service. `require` leaves them lazy.
      build.onResolve({ filter: /^node:http$/ }, ({ path, kind }) =>
        kind === "import-statement"
          ? { path, namespace: "required" }
          : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
        contents: `module.exports = require("${path}");`,
      }));
      build.onEnd(() => ({
        errors: [...unused.keys()].map((file) => ({
          text: `nothing imports ${file}, whose place another file should take`,
        })),
      }));
    },
  };
}
