/** The rules of docker-compose.yml, read as YAML. Its containers are started by `npm run test:deploy`. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { IMAGES } from "@postrider/local-stack";
import { kafkaSettings } from "../packages/local-stack/src/kafka-settings.ts";
import { readControlConfig } from "../services/control/src/config.ts";
import { readDispatcherConfig } from "../services/dispatcher/src/config.ts";
import { readIngestConfig } from "../services/ingest/src/config.ts";
import { readRecorderConfig } from "../services/recorder/src/config.ts";
import { readRetrySchedulerConfig } from "../services/retry-scheduler/src/config.ts";

interface Service {
  readonly image: string;
  readonly restart: string;
  readonly build?: object;
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: { readonly test: readonly unknown[] };
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}

const path = fileURLToPath(new URL("../docker-compose.yml", import.meta.url));
const file = parse(readFileSync(path, "utf8"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const services = Object.entries(file.services);
/** Jobs, and the command, end by themselves. */
const isOneShot = ({ restart }: Service): boolean =>
  restart === "no" || restart.startsWith("on-failure");
const isOurs = ({ image }: Service): boolean => image.startsWith("postrider:");

test("the images are those of local-stack, and each is used", () => {
  const others = services.filter(([, service]) => !isOurs(service));

  expect(
    Object.fromEntries(others.map(([name, { image }]) => [name, image])),
  ).toEqual(IMAGES);
});

/** Where the broker is, and where its data: in a container otherwise than as a process. */
const PLACES = [
  "controller.quorum.voters",
  "listeners",
  "advertised.listeners",
  "listener.security.protocol.map",
  "inter.broker.listener.name",
  "log.dirs",
];
/** What makes local-stack's broker start and recover fast; compose leaves it as Kafka has it. */
const FOR_HASTE = [
  "offsets.topic.num.partitions",
  "transaction.state.log.num.partitions",
  "share.coordinator.state.topic.num.partitions",
  "log.cleaner.dedupe.buffer.size",
  "broker.session.timeout.ms",
  "broker.heartbeat.interval.ms",
  "num.network.threads",
  "num.io.threads",
  "background.threads",
];
/** Of a single broker these are Kafka's own defaults, so compose does not say them. */
const BY_DEFAULT = {
  "default.replication.factor": "1",
  "min.insync.replicas": "1",
};

test("Kafka's settings are those of local-stack, but for its places and what is for haste", () => {
  const { CLUSTER_ID: _, ...variables } = file.services["kafka"]!.environment!;
  const settings = kafkaSettings({
    port: 9092,
    controllerPorts: [9093],
    nodeId: 1,
    dataDir: "/data",
  });
  const without = (
    all: Readonly<Record<string, string>>,
    names: readonly string[],
  ): Record<string, string> =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => !names.includes(name)),
    );

  const composed = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name
        .replace(/^KAFKA_/, "")
        .toLowerCase()
        .replaceAll("_", "."),
      String(value),
    ]),
  );

  expect(Object.keys(composed)).toEqual(expect.arrayContaining(PLACES));
  expect(Object.keys(settings)).toEqual(
    expect.arrayContaining([...PLACES, ...FOR_HASTE]),
  );
  expect({ ...without(composed, PLACES), ...BY_DEFAULT }).toEqual(
    without(settings, [...PLACES, ...FOR_HASTE]),
  );
});

test("one service builds the image that all of Postrider's containers are", () => {
  const built = services.filter(([, { build }]) => build !== undefined);

  expect(built).toHaveLength(1);
  expect(built.every(([, service]) => isOurs(service))).toBe(true);
});

test("there is no version key, which compose has dropped", () => {
  expect(file).not.toHaveProperty("version");
});

test.each(services)(
  "%s has a health check and is started again, or is a job that ends",
  (_name, service) => {
    if (isOneShot(service)) expect(service.healthcheck).toBeUndefined();
    else {
      // A text with a colon in it must be quoted, or YAML makes an object of it.
      expect(service.healthcheck?.test.map((word) => typeof word)).toEqual(
        service.healthcheck?.test.map(() => "string"),
      );
      expect(service.healthcheck?.test[0]).toBe("CMD");
      expect(service.restart).toBe("unless-stopped");
    }
  },
);

test("who depends on a service waits for its health, and who depends on a job for its end", () => {
  const waits = services.flatMap(([name, { depends_on = {} }]) =>
    Object.entries(depends_on).map(([on, { condition }]) => ({
      name,
      on,
      condition,
    })),
  );

  for (const { on, condition } of waits)
    expect({ on, condition }).toEqual({
      on,
      condition: isOneShot(file.services[on]!) // an unknown name fails here
        ? "service_completed_successfully"
        : "service_healthy",
    });
});

test("somebody waits for the end of each job: otherwise `up --wait` takes its end for a failure", () => {
  const awaited = services.flatMap(([, { depends_on = {} }]) =>
    Object.keys(depends_on),
  );
  const jobs = services.filter(
    ([, service]) => isOneShot(service) && service.profiles === undefined,
  );

  expect(awaited).toEqual(expect.arrayContaining(jobs.map(([name]) => name)));
});

test("ports are open to this machine only", () => {
  const ports = services.flatMap(([, service]) => service.ports ?? []);

  expect(ports.length).toBeGreaterThan(0);
  expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
});

test("data lie in named volumes; what is mounted from the repository is read-only", () => {
  const mounts = services.flatMap(([, service]) => service.volumes ?? []);
  const named = mounts.filter((mount) => !mount.startsWith("."));

  expect(new Set(named.map((mount) => mount.split(":")[0]))).toEqual(
    new Set(Object.keys(file.volumes)),
  );
  for (const mount of mounts.filter((one) => one.startsWith(".")))
    expect(mount).toMatch(/^\.\/deploy\/.*:ro$/);
});

test.each(services.filter(([, service]) => isOurs(service)))(
  "%s has no rights and a read-only file system",
  (_name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
  },
);

test("keys can be given from outside, and those of the file say that they are for development only", () => {
  const secrets = services.flatMap(([, { environment = {} }]) =>
    Object.entries(environment).filter(([name]) =>
      /KEY|PASSWORD|SECRET|TOKEN/.test(name),
    ),
  );

  expect(secrets.length).toBeGreaterThan(0);
  for (const [name, value] of secrets)
    expect(String(value)).toMatch(
      new RegExp(String.raw`^\$\{${name}:-development-only`),
    );
});

/** The value of `${NAME:-value}` where NAME is not set. */
const withDefaults = (environment: Service["environment"] = {}) =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      String(value).replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1"),
    ]),
  );

test.each([
  ["ingest", readIngestConfig],
  ["dispatcher", readDispatcherConfig],
  ["retry-scheduler", readRetrySchedulerConfig],
  ["recorder", readRecorderConfig],
  ["control", readControlConfig],
] as const)("%s accepts its environment", (name, read) => {
  const { command, environment } = file.services[name]!; // the file without a service fails here

  const config = read(withDefaults(environment));

  expect(command).toEqual(["start", name]);
  expect(config).toMatchObject({ adminHost: "0.0.0.0", adminPort: 9400 });
});

const hasCompose =
  spawnSync("docker", ["compose", "version"], { stdio: "ignore" }).status === 0;
const withCompose = hasCompose ? test : test.skip;

withCompose(
  `compose reads the file${hasCompose ? "" : " (skipped: no `docker compose` here)"}`,
  () => {
    const read = spawnSync(
      "docker",
      ["compose", "--file", path, "--profile", "*", "config", "--quiet"],
      { encoding: "utf8" },
    );

    expect(read).toMatchObject({ status: 0, stderr: "" });
  },
);
