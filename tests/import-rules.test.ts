/** Proves that the tools refuse what the layout forbids: breaks each rule once, in a copy of the repository's settings. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string): string => join(root, "node_modules/.bin", name);

const IMPORT = "no-restricted-imports";
const EFFECT = "no-restricted-properties";

/** A file, its content, and the rule that must refuse it; null where it is allowed. */
const CASES: readonly [file: string, text: string, rule: string | null][] = [
  ["packages/core/src/a.ts", 'import "node:fs";', IMPORT],
  ["packages/core/src/b.ts", 'import "@postrider/runtime";', IMPORT],
  ["packages/core/src/c.ts", 'import "./time.ts";', null],
  ["packages/signing/src/a.ts", 'import "node:fs";', IMPORT],
  ["packages/signing/src/b.ts", 'import "@postrider/core";', IMPORT],
  ["packages/signing/src/c.ts", 'import "node:crypto"; import "./b.ts";', null],
  ["packages/signing/src/d.ts", 'import "./d.ts";', "no-cycle"],
  [
    "packages/filter/src/a.ts",
    'import "@bufbuild/cel"; import "@bufbuild/protobuf/wkt"; import "./b.ts";',
    null,
  ],
  ["packages/filter/src/b.ts", 'import "@postrider/core";', IMPORT],
  ["packages/filter/src/c.ts", 'import "node:fs";', IMPORT],
  ["packages/cli/src/c.ts", 'import "@bufbuild/cel";', IMPORT],
  ["services/ingest/src/j.ts", 'import "@bufbuild/cel";', IMPORT],
  ["services/ingest/src/k.ts", 'import "@postrider/filter";', null],
  ["packages/runtime/src/a.ts", 'import "@postrider/core";', IMPORT],
  ["packages/messaging/src/a.ts", 'import "@postrider/signing";', IMPORT],
  ["packages/messaging/src/d.ts", 'import "@postrider/runtime";', null],
  ["packages/messaging/src/b.ts", 'import "kafkajs";', IMPORT],
  ["packages/messaging/src/c.ts", 'import "avsc";', IMPORT],
  ["packages/messaging/src/kafkajs/a.ts", 'import "kafkajs";', null],
  ["packages/messaging/src/kafkajs/b.ts", 'import "avsc";', IMPORT],
  ["packages/messaging/src/schemas/avro-a.ts", 'import "avsc";', null],
  [
    "packages/messaging/src/schemas/registry-a.ts",
    'import "@kafkajs/confluent-schema-registry";',
    null,
  ],
  ["packages/messaging/src/e.ts", 'import "undici";', IMPORT],
  ["packages/messaging/src/output/a.ts", 'import "../kafkajs/a.ts";', IMPORT],
  ["packages/messaging/src/kafkajs/c.ts", 'import "../output/a.ts";', IMPORT],
  ["packages/messaging/src/stage-runner/a.ts", 'import "../lanes/a.ts";', null],
  ["packages/event-types/src/a.ts", 'import "@postrider/messaging";', IMPORT],
  ["packages/event-types/src/b.ts", 'import "node:fs";', IMPORT],
  [
    "packages/event-types/src/c.ts",
    'import "ajv/dist/2020.js"; import "re2js"; import "@postrider/core"; import "./b.ts";',
    null,
  ],
  ["packages/http/src/a.ts", 'import "@postrider/messaging";', IMPORT],
  ["packages/http/src/b.ts", 'import "undici";', IMPORT],
  [
    "packages/http/src/c.ts",
    'import "fastify"; import "node:net"; import "@postrider/core"; import "@postrider/runtime"; import "./b.ts";',
    null,
  ],
  ["packages/cli/src/a.ts", 'import "@postrider/dispatcher";', IMPORT],
  ["packages/cli/src/b.ts", 'import "@clickhouse/client";', IMPORT],
  ["packages/testkit/src/a.ts", 'import "kafkajs";', IMPORT],
  ["packages/testkit/src/b.ts", 'import "@postrider/control";', IMPORT],
  ["packages/local-stack/src/a.ts", 'import "kafkajs";', IMPORT],
  ["services/ingest/src/a.ts", 'import "@postrider/dispatcher";', IMPORT],
  ["services/ingest/src/b.ts", 'import "@postrider/testkit";', IMPORT],
  ["services/ingest/src/c.ts", 'import "@postrider/local-stack";', IMPORT],
  ["services/ingest/src/d.ts", 'import "kafkajs";', IMPORT],
  ["services/ingest/src/e.ts", 'import "undici";', IMPORT],
  ["services/ingest/src/f.ts", 'import "@postrider/messaging";', null],
  ["services/ingest/src/i.ts", 'import "@postrider/http";', null],
  ["services/console/src/a.ts", 'import "@postrider/core";', IMPORT],
  ["services/console/src/b.ts", 'import "node:fs";', IMPORT],
  ["services/console/src/c.ts", 'import "react"; import "./a.ts";', null],
  ["services/dispatcher/src/a.ts", 'import "undici";', IMPORT],
  ["services/dispatcher/src/send/a.ts", 'import "undici";', null],
  ["services/dispatcher/src/send/b.ts", 'import "../deliver/a.ts";', IMPORT],
  ["services/dispatcher/src/deliver/a.ts", 'import "../send/a.ts";', null],
  ["services/recorder/src/a.ts", 'import "@clickhouse/client";', IMPORT],
  [
    "services/recorder/src/clickhouse/writer.ts",
    'import "@clickhouse/client";',
    null,
  ],
  [
    "services/control/src/reads/clickhouse-client.ts",
    'import "@clickhouse/client";',
    null,
  ],
  [
    "services/control/src/reads/clickhouse-client.test.ts",
    'import "kafkajs";',
    null,
  ],
  ["services/ingest/src/g.ts", "process.exit(1);", EFFECT],
  ["services/ingest/src/main.ts", "process.exit(1);", null],
  ["services/ingest/src/h.ts", "console.log(process.env);", EFFECT],
  ["services/ingest/src/config.ts", "console.log(process.env);", null],
  ["packages/runtime/src/b.ts", "console.log(process.env);", EFFECT],
  ["packages/local-stack/src/b.ts", "process.exit(1);", EFFECT],
  [
    "packages/runtime/src/c.ts",
    "export function f(x: any): void { void x; }",
    "no-explicit-any",
  ],
];

/** Violations that the type checker refuses because of its project boundaries. */
const BOUNDARIES: readonly [project: string, file: string, text: string][] = [
  ["packages/core", "node.ts", 'import "node:fs";'],
  ["packages/core", "global.ts", "export const now = process.hrtime();"],
  [
    "services/ingest",
    "reach.ts",
    'export * from "../../recorder/src/fine.ts";',
  ],
];

/** The folders with the violations for lint and for the type checker. They have the repository's settings and nothing else of it. */
let lintCopy: string;
let typesCopy: string;
let refusals: ReadonlyMap<string, string>;

beforeAll(() => {
  lintCopy = copyOfSettings();
  for (const [file, text] of CASES) write(lintCopy, file, text);
  const { stdout } = spawnSync(
    bin("oxlint"),
    ["-f", "unix", "packages", "services"],
    { cwd: lintCopy, encoding: "utf8" },
  );
  // packages/core/src/a.ts:1:1: 'node:fs' import is restricted … [Error/eslint(no-restricted-imports)]
  refusals = new Map(
    [
      ...stdout.matchAll(/^(\S+?):\d+:\d+: .*\[Error\/\w+\(([\w-]+)\)\]$/gm),
    ].map(([, file = "", rule = ""]) => [file, rule]),
  );

  typesCopy = copyOfSettings();
  for (const project of projects()) {
    write(typesCopy, `${project}/src/fine.ts`, "export const fine = 1;");
    for (const name of ["package.json", "tsconfig.json"])
      cpSync(join(root, project, name), join(typesCopy, project, name));
  }
});
afterAll(() => {
  for (const copy of [lintCopy, typesCopy])
    rmSync(copy, { recursive: true, force: true });
});

function copyOfSettings(): string {
  const copy = mkdtempSync(join(tmpdir(), "postrider-test-"));
  for (const name of [".oxlintrc.json", "tsconfig.base.json", "package.json"])
    cpSync(join(root, name), join(copy, name));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

function projects(): string[] {
  return ["packages", "services"].flatMap((area) =>
    readdirSync(join(root, area)).map((name) => `${area}/${name}`),
  );
}

function write(copy: string, file: string, text: string): void {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), `${text}\n`);
}

test.each(CASES)("%s with %s: %s", (file, _text, rule) => {
  expect(refusals.get(file) ?? null).toBe(rule);
});

test.each(BOUNDARIES)("tsc refuses %s/src/%s", (project, file, text) => {
  write(typesCopy, `${project}/src/${file}`, text);

  const { stdout } = spawnSync(bin("tsc"), ["-p", project, "--noEmit"], {
    cwd: typesCopy,
    encoding: "utf8",
  });

  rmSync(join(typesCopy, project, "src", file));
  expect(stdout).toContain(`${project}/src/${file}(1,`);
  expect(stdout).not.toContain("fine.ts(");
});
