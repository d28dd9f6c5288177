/** Checks every import against the layout of docs/architecture.md, written here as a table. Lint refuses most violations earlier; this test also sees type imports, dynamic imports and paths. */
import { expect, test } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const SERVICE = ["core", "signing", "runtime", "messaging"];
const API = [...SERVICE, "filter", "http", "event-types"];

/** For each package and service, which of our packages it may import. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  filter: [],
  signing: [],
  runtime: [],
  "event-types": ["core"],
  messaging: ["core", "runtime"],
  http: ["core", "runtime"],
  "local-stack": ["core", "signing", "runtime", "messaging"],
  testkit: ["core", "signing", "runtime", "messaging", "local-stack"],
  cli: [
    "core",
    "filter",
    "event-types",
    "signing",
    "runtime",
    "messaging",
    // Only for `dev`, `demo` and `receiver`; see the test below.
    "local-stack",
    "testkit",
  ],
  ingest: API,
  dispatcher: SERVICE,
  "retry-scheduler": SERVICE,
  recorder: SERVICE,
  control: API,
  // It runs in a browser, and knows control by its public API only.
  console: [],
};

/**
 * For each package, which of its own folders each folder may import; "." is the root of src. An `index.ts`, `compose.ts` or
 * `main.ts` connects the folders and may import all of them. A package that is not listed has no folders.
 */
const FOLDERS: Readonly<
  Record<string, Readonly<Record<string, readonly string[]>>>
> = {
  messaging: {
    ".": [],
    lanes: ["."],
    offsets: ["."],
    table: ["."],
    "stage-runner": [".", "lanes", "offsets"],
    "batch-runner": ["."],
    output: ["."],
    schemas: [".", "table"],
    sources: ["."],
    kafkajs: [".", "kafkajs/patches"],
    "kafkajs/patches": ["."],
  },
  http: { ".": ["openapi"], openapi: ["."] },
  cli: {
    ".": ["processes", "topics"],
    apply: ["."],
    commands: [
      ".",
      "apply",
      "demo",
      "dev",
      "doctor",
      "explain",
      "listen",
      "lists",
      "processes",
      "publish",
      "sources",
      "topics",
    ],
    demo: [".", "dev", "processes"],
    dev: [".", "processes", "topics"],
    doctor: [".", "processes", "topics"],
    explain: ["."],
    listen: ["."],
    lists: ["."],
    processes: ["."],
    publish: ["."],
    sources: [".", "lists", "topics"],
    topics: ["."],
  },
  ingest: {
    ".": ["secrets"],
    door: [".", "secrets"],
    route: [".", "secrets"],
    secrets: [],
  },
  dispatcher: {
    ".": [],
    breaker: ["send"],
    deliver: ["breaker", "send"],
    send: [],
  },
  recorder: {
    ".": ["migrate", "native"],
    clickhouse: [".", "native"],
    native: [],
    migrate: [".", "clickhouse"],
    "roll-ups": [".", "clickhouse"],
  },
  control: {
    ".": [
      "audit",
      "endpoints",
      "event-types",
      "http",
      "operations",
      "reads",
      "replays",
      "resumes",
      "secrets",
      "system",
      "writer",
    ],
    audit: [],
    console: ["http"],
    cookbook: ["http"],
    endpoints: ["audit", "http", "writer"],
    "event-types": ["audit", "http", "writer"],
    keys: ["audit", "http", "writer"],
    letters: [],
    operations: ["http", "writer"],
    replays: ["audit", "http", "letters", "writer"],
    resumes: ["audit", "endpoints", "http", "letters", "writer"],
    secrets: ["audit", "endpoints", "http"],
    system: ["http"],
    writer: ["http"],
    reads: [
      "cookbook",
      "endpoints",
      "http",
      "reads/explain",
      "reads/lists",
      "reads/series",
      "reads/timeline",
    ],
    "reads/explain": ["endpoints", "http", "reads"],
    "reads/match": ["endpoints", "http", "reads"],
    "reads/lists": ["audit", "cookbook", "http", "reads"],
    "reads/series": ["http", "reads", "reads/lists"],
    "reads/timeline": ["cookbook", "http", "reads", "reads/lists"],
    http: [],
  },
  console: {
    // The application and its routes connect the folders.
    ".": [
      "api",
      "dead-letters",
      "deliveries",
      "delivery",
      "endpoint",
      "endpoint-form",
      "endpoints",
      "event",
      "overview",
      "parts",
      "replays",
      "session",
      "shell",
      "sql",
      "system",
    ],
    api: [],
    "dead-letters": ["api", "parts", "replay", "session", "shell", "shown"],
    deliveries: ["api", "event", "parts", "session", "shell", "shown"],
    delivery: ["api", "parts", "payload", "replay", "session", "shown"],
    endpoint: [
      "api",
      "deliveries",
      "delivery",
      "endpoints",
      "parts",
      "replay",
      "session",
      "shown",
    ],
    "endpoint-form": ["api", "endpoint", "parts", "session", "shown"],
    endpoints: ["api", "parts", "session", "shell", "shown"],
    event: ["api", "parts", "payload", "session", "shell", "shown"],
    overview: ["api", "deliveries", "parts", "session", "shell", "shown"],
    parts: ["api", "shown"],
    payload: ["api", "parts", "session", "shown"],
    replay: ["api", "parts", "session", "shown"],
    replays: [
      "api",
      "deliveries",
      "parts",
      "replay",
      "session",
      "shell",
      "shown",
    ],
    session: ["api", "parts"],
    shell: ["api", "parts", "session"],
    sql: ["api", "deliveries", "parts", "session", "shell", "shown"],
    system: ["api", "parts", "session", "shell", "shown"],
    shown: ["api"],
  },
};

/** Libraries that only certain files may import, with those files. */
const DOORS: readonly [library: RegExp, doors: RegExp][] = [
  [/^kafkajs/, /^packages\/messaging\/src\/kafkajs\//],
  [/^avsc$/, /^packages\/messaging\/src\/schemas\/(avro|registry)-[^/]*\.ts$/],
  [/^@kafkajs\//, /^packages\/messaging\/src\/schemas\/registry-[^/]*\.ts$/],
  [
    /^@opentelemetry\//,
    /^packages\/runtime\/src\/(otel-tracer|reported-exporter)\.ts$/,
  ],
  [/^@bufbuild\//, /^packages\/filter\/src\//],
  [/^(react|react-dom|@mantine|@tanstack)($|\/)/, /^services\/console\/src\//],
  [/^fastify/, /^(packages\/http|services\/(ingest|control))\/src\//],
  [
    /^undici/,
    /^services\/dispatcher\/src\/send\/(connection|guarded-sockets)\.ts$/,
  ],
  [
    /^@clickhouse\//,
    /^(services\/recorder\/src\/clickhouse\/writer|services\/control\/src\/reads\/clickhouse-client|packages\/testkit\/src\/clickhouse)\.ts$/,
  ],
];

interface Import {
  readonly file: string;
  /** The importing file's folder below packages/ or services/. */
  readonly from: string;
  readonly specifier: string;
}

function importsOf(area: "packages" | "services"): Import[] {
  return readdirSync(join(root, area)).flatMap((from) => {
    const source = join(root, area, from, "src");
    return readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((name) => /(?<!\.test|\.testing)\.tsx?$/.test(name))
      .flatMap((name) => {
        const file = join(source, name);
        const text = readFileSync(file, "utf8");
        return [
          ...text.matchAll(
            /^(?:import|export)\b[^"';]*?\bfrom\s+["']([^"']+)["']|^import\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm,
          ),
        ].map((match) => ({
          file: relative(root, file),
          from,
          specifier: match[1] ?? match[2] ?? match[3] ?? "",
        }));
      });
  });
}

const imports = [...importsOf("packages"), ...importsOf("services")];
const show = ({ file, specifier }: Import): string => `${file} → ${specifier}`;

test("no import goes against the layout", () => {
  const wrong = imports.filter(({ from, specifier }) => {
    const target = /^@postrider\/([^/]+)/.exec(specifier)?.[1];
    return target !== undefined && !(ALLOWED[from] ?? []).includes(target);
  });

  expect(wrong.map(show)).toEqual([]);
});

test("no path reaches into another package or service", () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!specifier.startsWith(".")) return false;
    const home = file.split("/").slice(0, 2).join("/");
    const target = relative(root, resolve(root, dirname(file), specifier));
    return !target.startsWith(`${home}/`);
  });

  expect(wrong.map(show)).toEqual([]);
});

test("no folder imports another one that its package does not let it", () => {
  const wrong = imports.filter(({ file, from, specifier }) => {
    const [area = "", name = ""] = file.split("/");
    const source = `${area}/${name}/src`;
    const folders = FOLDERS[from];
    if (folders === undefined || !specifier.startsWith(".")) return false;
    const home = relative(source, dirname(file)) || ".";
    const isTie = /^(index|compose|main|program)\.ts$/.test(
      relative(source, file),
    );
    const target =
      relative(source, join(dirname(file), dirname(specifier))) || ".";
    if (isTie || target === home) return false;
    return !(folders[home] ?? []).includes(target);
  });

  expect(wrong.map(show)).toEqual([]);
});

test("every folder of a package's source is in the table", () => {
  const found = Object.keys(FOLDERS).map((name) => [
    name,
    [
      ...new Set(
        imports
          .filter(({ from }) => from === name)
          .map(
            ({ file }) => dirname(file).split("/").slice(3).join("/") || ".",
          ),
      ),
    ].toSorted(),
  ]);

  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(
      Object.entries(FOLDERS).map(([name, folders]) => [
        name,
        Object.keys(folders).toSorted(),
      ]),
    ),
  );
});

test("each client library is imported by its own door only", () => {
  const wrong = imports.filter(({ file, specifier }) =>
    DOORS.some(
      ([library, doors]) => library.test(specifier) && !doors.test(file),
    ),
  );

  expect(wrong.map(show)).toEqual([]);
});

test("core imports nothing, and signing only node:crypto", () => {
  const outward = imports.filter(
    ({ from, specifier }) =>
      !specifier.startsWith(".") &&
      (from === "core" || (from === "signing" && specifier !== "node:crypto")),
  );

  expect(outward.map(show)).toEqual([]);
});

test("the test kit and the local stack stay out of the CLI's other commands", () => {
  const wrong = imports.filter(
    ({ from, file, specifier }) =>
      from === "cli" &&
      /^@postrider\/(testkit|local-stack)($|\/)/.test(specifier) &&
      !/(dev|demo|receiver|stack)/.test(file.replace("packages/cli/", "")),
  );

  expect(wrong.map(show)).toEqual([]);
});
