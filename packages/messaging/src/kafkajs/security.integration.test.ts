import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka as KafkajsClient,
  logLevel,
  ResourcePatternTypes,
} from "kafkajs";
import {
  startStack,
  temporaryFolder,
  type Stack,
} from "@postrider/local-stack";
import {
  kafkaConfig,
  readConfig,
  type KafkaConfig,
  type Log,
} from "@postrider/runtime";
import {
  makeCertificate,
  recordingLog,
  testEffects,
  waitFor,
} from "@postrider/testkit";
import { createKafkajsClient, PROBE_RETRY } from "./client.ts";
import { createKafka, type Kafka } from "./kafka.ts";

/** Just above the ten seconds before the end at which kafkajs signs in again. */
const REAUTHENTICATE_MS = 11_000;
const broker = makeCertificate({ hosts: ["127.0.0.1"] });
const client = makeCertificate({ hosts: ["client"] });
const folder = temporaryFolder();
const servers: Server[] = [];
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    provider: "local",
    secure: {
      certificate: broker,
      trusted: [client.cert],
      users: { alice: "alice-password" },
      reauthenticateMs: REAUTHENTICATE_MS,
    },
  });
  await allow("User:alice", "User:CN=postrider", "User:carol");
});
afterAll(async () => {
  for (const server of servers) server.close();
  await stack.stop();
});

const TLS = { KAFKA_TLS: "true", KAFKA_TLS_CA: broker.cert };
const ALICE = {
  KAFKA_SASL_USERNAME: "alice",
  KAFKA_SASL_PASSWORD: "alice-password",
};

function configOf(env: Record<string, string>): KafkaConfig {
  return readConfig(
    { KAFKA_BROKERS: stack.kafka.secure!.sasl, ...TLS, ...env },
    kafkaConfig,
  );
}

function connect(
  env: Record<string, string>,
  log: Log = recordingLog(),
): Kafka {
  const config = configOf(env);
  return createKafka(
    { brokers: config.kafkaBrokers, clientId: "secure", security: config },
    { ...testEffects(), log },
  );
}

/** Connects with a client that soon gives up. */
async function tryOnce(env: Record<string, string>): Promise<void> {
  const config = configOf(env);
  const connection = {
    brokers: config.kafkaBrokers,
    clientId: "secure",
    security: config,
  };
  const admin = createKafkajsClient(
    connection,
    recordingLog(),
    PROBE_RETRY,
  ).admin();
  try {
    await admin.connect();
  } finally {
    await admin.disconnect();
  }
}

/** A file in the test's folder, and what is in it. */
function fileOf(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

interface Answer {
  readonly status?: number;
}

/** Starts a token endpoint. Returns its URL. */
async function tokenEndpoint(
  answer: (request: IncomingMessage, body: string) => object,
): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { status = 200, ...json } = answer(request, body) as Answer;
      response.writeHead(status).end(JSON.stringify(json));
    });
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

/** A token without a signature, as this broker takes it. */
function tokenOf(user: string, seconds: number): string {
  const now = Date.now() / 1000;
  const part = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: user, iat: now, exp: now + seconds };
  return `${part({ alg: "none" })}.${part(claims)}.`;
}

const TOPIC = "signed-in";
const RECORD = {
  topic: TOPIC,
  partition: 0,
  key: null,
  value: Buffer.from("x"),
};

/** Writes a record, which only the named principals may. */
async function write(kafka: Kafka): Promise<void> {
  const producer = await kafka.createProducer();
  try {
    await producer.sendBatch([RECORD]);
  } finally {
    await producer.disconnect();
  }
}

async function allow(...principals: readonly string[]): Promise<void> {
  const admin = new KafkajsClient({
    brokers: [...stack.kafka.brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic: TOPIC, numPartitions: 1 }],
    waitForLeaders: true,
  });
  await admin.createAcls({
    acl: principals.flatMap((principal) =>
      [AclOperationTypes.WRITE, AclOperationTypes.DESCRIBE].map(
        (operation) => ({
          resourceType: AclResourceTypes.TOPIC,
          resourceName: TOPIC,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal,
          host: "*",
          operation,
          permissionType: AclPermissionTypes.ALLOW,
        }),
      ),
    ),
  });
  await admin.disconnect();
}

test.each(["plain", "scram-sha-256", "scram-sha-512"])(
  "signs in by %s over TLS",
  async (mechanism) => {
    await write(connect({ KAFKA_SASL_MECHANISM: mechanism, ...ALICE }));
  },
);

test("signs in by a client's certificate", async () => {
  await write(
    connect({
      KAFKA_BROKERS: stack.kafka.secure!.mutualTls,
      KAFKA_TLS_CERT: client.cert,
      KAFKA_TLS_KEY: client.key,
    }),
  );
});

test("the metrics say when the certificates end: ours, its authority's, and the broker's", async () => {
  const config = configOf({
    KAFKA_BROKERS: stack.kafka.secure!.mutualTls,
    KAFKA_TLS_CERT: client.cert,
    KAFKA_TLS_KEY: client.key,
  });
  const effects = testEffects();
  const kafka = createKafka(
    { brokers: config.kafkaBrokers, clientId: "secure", security: config },
    effects,
  );

  await write(kafka);

  const page = await effects.meter.render();
  const endOf = ({ cert }: { cert: string }): number =>
    Date.parse(new X509Certificate(cert).validTo) / 1000;
  for (const [certificate, endsAt] of [
    ["client", endOf(client)],
    ["authority", endOf(broker)],
    ["server", endOf(broker)],
  ] as const)
    expect(page).toContain(
      `postrider_certificate_expiry_timestamp_seconds{server="kafka",certificate="${certificate}",service="test"} ${endsAt}`,
    );
});

test("signs in by a token of the client credentials grant, and asks for another before it ends", async () => {
  const asked: string[] = [];
  const url = await tokenEndpoint((request, body) => {
    asked.push(`${request.headers.authorization} ${body}`);
    return { access_token: tokenOf("carol", 60), expires_in: 1 };
  });
  const kafka = connect({
    KAFKA_SASL_MECHANISM: "oauthbearer",
    KAFKA_OAUTH_TOKEN_URL: url,
    KAFKA_OAUTH_CLIENT_ID: "carol",
    KAFKA_OAUTH_CLIENT_SECRET: "s:cret",
    KAFKA_OAUTH_SCOPE: "kafka",
  });

  await write(kafka);
  const basic = Buffer.from("carol:s%3Acret").toString("base64");
  expect(asked[0]).toBe(
    `Basic ${basic} grant_type=client_credentials&scope=kafka`,
  );
  const before = asked.length;
  await waitFor(async () => {
    await write(kafka);
    return asked.length > before;
  });
});

test("a token endpoint that refuses is named, with its own words", async () => {
  const refusal = { status: 401, error: "invalid_client" };
  const url = await tokenEndpoint(() => refusal);
  const trying = tryOnce({
    KAFKA_SASL_MECHANISM: "oauthbearer",
    KAFKA_OAUTH_TOKEN_URL: url,
    KAFKA_OAUTH_CLIENT_ID: "carol",
    KAFKA_OAUTH_CLIENT_SECRET: "wrong",
  });

  await expect(trying).rejects.toThrow(
    `${url} answered 401 and no access_token: invalid_client`,
  );
});

test("a wrong password is named as such", async () => {
  const wrong = { ...ALICE, KAFKA_SASL_PASSWORD: "wrong" };
  const trying = tryOnce({ KAFKA_SASL_MECHANISM: "scram-sha-512", ...wrong });

  await expect(trying).rejects.toThrow(/SCRAM.*invalid credentials/i);
});

test("MSK's package is asked for by name where it is missing", async () => {
  const trying = tryOnce({
    KAFKA_SASL_MECHANISM: "aws-msk-iam",
    KAFKA_AWS_REGION: "eu-west-1",
  });

  await expect(trying).rejects.toThrow(
    "npm install aws-msk-iam-sasl-signer-js",
  );
});

test("where MSK's package is installed, its tokens for the region sign in", async () => {
  const modules = join(folder, "node_modules");
  installSigner(modules, tokenOf("carol", 60));

  const signedIn = await listTopics(
    { KAFKA_SASL_MECHANISM: "aws-msk-iam", KAFKA_AWS_REGION: "eu-west-1" },
    modules,
  );
  const elsewhere = listTopics(
    { KAFKA_SASL_MECHANISM: "aws-msk-iam", KAFKA_AWS_REGION: "eu-west-2" },
    modules,
  );

  expect(signedIn).toBe(TOPIC);
  await expect(elsewhere).rejects.toThrow("no credentials in eu-west-2");
});

/** A package of the name of Amazon's, as it is called: CommonJS with one function. It signs for one region. */
function installSigner(modules: string, token: string): void {
  const at = join(modules, "aws-msk-iam-sasl-signer-js");
  mkdirSync(at, { recursive: true });
  writeFileSync(
    join(at, "package.json"),
    JSON.stringify({ name: "aws-msk-iam-sasl-signer-js", main: "index.js" }),
  );
  writeFileSync(
    join(at, "index.js"),
    `exports.generateAuthToken = async ({ region }) => {
       if (region !== "eu-west-1") throw new Error("no credentials in " + region);
       return { token: ${JSON.stringify(token)}, expiryTime: Date.now() + 60_000 };
     };`,
  );
}

/** What the user sees, in a process of its own: this one has no folder of packages but the repository's. */
async function listTopics(
  env: Record<string, string>,
  modules: string,
): Promise<string> {
  const script = `
    import { Kafka, logLevel } from "kafkajs";
    import { kafkaConfig, readConfig } from "@postrider/runtime";
    import { securityOf } from ${JSON.stringify(new URL("security.ts", import.meta.url).href)};
    const config = readConfig(process.env, kafkaConfig);
    const admin = new Kafka({
      brokers: [...config.kafkaBrokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
      ...securityOf(config, console),
    }).admin();
    try {
      await admin.connect();
      console.log((await admin.listTopics()).join());
    } finally {
      await admin.disconnect();
    }`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", script],
    {
      cwd: dirname(fileURLToPath(import.meta.url)),
      env: {
        PATH: process.env["PATH"],
        NODE_PATH: modules,
        KAFKA_BROKERS: stack.kafka.secure!.sasl,
        ...TLS,
        ...env,
      },
    },
  );
  return stdout.trim();
}

test("a password that changes in its file is used for the next connection", async () => {
  const file = fileOf("password", "old-password");
  const kafka = connect({
    KAFKA_SASL_MECHANISM: "plain",
    KAFKA_SASL_USERNAME: "alice",
    KAFKA_SASL_PASSWORD_FILE: file,
  });

  await expect(write(kafka)).rejects.toThrow("Authentication failed");
  fileOf("password", "alice-password\n");

  await write(kafka);
});

test("a certificate that changes in its file is used for the next connection, and one that is half written is not", async () => {
  const other = makeCertificate({ hosts: ["client"] });
  const log = recordingLog();
  const kafka = connect(
    {
      KAFKA_BROKERS: stack.kafka.secure!.mutualTls,
      KAFKA_TLS_CERT_FILE: fileOf("client.crt", other.cert),
      KAFKA_TLS_KEY_FILE: fileOf("client.key", other.key),
    },
    log,
  );

  const writing = write(kafka);
  await waitFor(() => log.of("kafka.clientTroubled").length > 0);
  fileOf("client.crt", client.cert);
  fileOf("client.key", client.key);
  await writing;

  fileOf("client.crt", client.cert.slice(0, 300));
  await write(kafka);
  expect(log.of("kafka.secretNotReadAgain")).not.toEqual([]);
});

test("a session that the broker ends after its time is renewed before", async () => {
  const log = recordingLog();
  const kafka = connect({ KAFKA_SASL_MECHANISM: "plain", ...ALICE }, log);
  const producer = await kafka.createProducer();
  const until = performance.now() + 1.3 * REAUTHENTICATE_MS;
  try {
    while (performance.now() < until) {
      await producer.sendBatch([RECORD]);
      await sleep(200);
    }
  } finally {
    await producer.disconnect();
  }
  expect(log.of("kafka.clientTroubled")).toEqual([]);
});

test("a broker whose certificate is not from the authority is refused", async () => {
  const other = makeCertificate({ hosts: ["127.0.0.1"] });
  const trying = tryOnce({
    KAFKA_SASL_MECHANISM: "plain",
    ...ALICE,
    KAFKA_TLS_CA: other.cert,
  });

  await expect(trying).rejects.toThrow(/self-signed certificate/);
});
