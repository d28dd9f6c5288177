import { expect, test } from "@jest/globals";
import { missingEntries } from "../scripts/complete-lockfile.ts";

test("a platform package that npm left out is added with its parent's version, its platform and no integrity", () => {
  const lockfile = {
    packages: {
      "node_modules/@swc/core": {
        version: "1.0.0",
        dev: true,
        optionalDependencies: {
          "@swc/core-linux-arm64-musl": "1.0.0",
          "@swc/core-darwin-x64": "^1.0.0",
        },
      },
    },
  };

  expect(missingEntries(lockfile)).toEqual({
    "node_modules/@swc/core-linux-arm64-musl": {
      version: "1.0.0",
      cpu: ["arm64"],
      libc: ["musl"],
      os: ["linux"],
      dev: true,
      optional: true,
    },
    "node_modules/@swc/core-darwin-x64": {
      version: "1.0.0",
      cpu: ["x64"],
      os: ["darwin"],
      dev: true,
      optional: true,
    },
  });
});

test("a package that has Windows in its name is for Windows alone", () => {
  const lockfile = {
    packages: {
      "node_modules/vite": {
        optionalDependencies: { "napi-windows-process-start-time": "^0.1.0" },
      },
    },
  };

  expect(missingEntries(lockfile)).toEqual({
    "node_modules/napi-windows-process-start-time": {
      version: "0.1.0",
      os: ["win32"],
      optional: true,
    },
  });
});

test("a package that is there, beside its parent or above it, is not added", () => {
  const lockfile = {
    packages: {
      "node_modules/a": {
        optionalDependencies: { near: "1.0.0", far: "1.0.0" },
      },
      "node_modules/a/node_modules/near": { version: "1.0.0" },
      "node_modules/far": { version: "1.0.0" },
    },
  };

  expect(missingEntries(lockfile)).toEqual({});
});
