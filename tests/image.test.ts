/** The image starts a service as the command does. */
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { SERVICE_MEMORY_ENV, SERVICE_NODE_ARGS } from "@postrider/cli";

const dockerfile = readFileSync(
  new URL("../deploy/docker/Dockerfile", import.meta.url),
  "utf8",
);

test("the image gives Node the arguments that the command gives to a service", () => {
  const [, entry = "[]"] = /^ENTRYPOINT (.+)$/m.exec(dockerfile) ?? [];

  expect(JSON.parse(entry)).toEqual([
    "/usr/local/bin/node",
    ...SERVICE_NODE_ARGS,
    "/app/postrider.js",
  ]);
});

test("the image sets the variables of memory that the command sets", () => {
  for (const [name, value] of Object.entries(SERVICE_MEMORY_ENV))
    expect(dockerfile).toMatch(
      new RegExp(`^(ENV|   ) ${name}=${value}\\b`, "m"),
    );
});
