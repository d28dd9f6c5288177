/** What the Dockerfile says of the image, and that the image starts a service as the command does. The image itself is looked at by `npm run test:deploy`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { SERVICE_MEMORY_ENV, SERVICE_NODE_ARGS } from "@postrider/cli";
import { OCI_LABELS, userProblems } from "./deploy/image-problems.ts";

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

/** The last stage, which is the image. */
const [lastStage = ""] =
  /^FROM [^\n]+\n(?![^]*^FROM )[^]*/m.exec(dockerfile) ?? [];

test("the image is run by a user of two numbers, whom no later line changes", () => {
  const users = [...lastStage.matchAll(/^USER (.+)$/gm)].map(
    ([, user = ""]) => user,
  );

  expect(users).toHaveLength(1);
  expect(users.flatMap(userProblems)).toEqual([]);
});

test("the image has every label, and by default the version of this repository", () => {
  const defaults = new Map(
    [...lastStage.matchAll(/^ARG (\w+)=(.*)$/gm)].map(
      ([, name = "", value = ""]) => [name, value],
    ),
  );
  const [, labels = ""] = /^LABEL ((?:.*\\\n)*.*)$/m.exec(lastStage) ?? [];
  const given = new Map(
    [...labels.matchAll(/([\w.]+)="([^"]*)"/g)].map(
      ([, name = "", value = ""]) => [
        name,
        value.replaceAll(
          /\$\{(\w+)\}/g,
          (_, variable: string) => defaults.get(variable) ?? "",
        ),
      ],
    ),
  );
  const { version } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  ) as { readonly version: string };

  expect([...given.keys()].toSorted()).toEqual(
    Object.keys(OCI_LABELS).toSorted(),
  );
  for (const [name, value] of Object.entries(OCI_LABELS))
    expect(given.get(name)).toMatch(value);
  expect(given.get("org.opencontainers.image.version")).toBe(version);
});

/** The folders whose code a service runs. */
const OF_SERVICES = [
  "services",
  ..."core event-types filter http messaging runtime signing"
    .split(" ")
    .map((name) => `packages/${name}/src`),
];

test("no service starts a process, which process 1 of the image would have to reap", () => {
  const sources = OF_SERVICES.flatMap((folder) => {
    const path = fileURLToPath(new URL(`../${folder}`, import.meta.url));
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map((name) => join(path, name));
  });
  const starting = sources.filter((file) =>
    readFileSync(file, "utf8").includes("child_process"),
  );

  expect(sources.length).toBeGreaterThan(300);
  expect(starting).toEqual([]);
});
