/** Everything that is planted, and where it may be found. */
import { createPrivateKey, randomBytes } from "node:crypto";
import { makeCertificate } from "@postrider/testkit";
import { plant, type Plant } from "./search.ts";

const whsecBytes = randomBytes(24);
const whskSeed = randomBytes(32);
/** What is planted. */
export const P = {
  adminKey: plant("admin key"),
  kafkaPassword: plant("password of Kafka"),
  recorderPassword: plant("password of ClickHouse in a file"),
  controlPassword: plant("password of ClickHouse in its URL"),
  wrongKafkaPassword: plant("refused password of Kafka"),
  wrongClickhousePassword: plant("refused password of ClickHouse"),
  tenantPassword: plant("password of ClickHouse for tenants"),
  kafkaKeyPassword: plant("password of the key for Kafka"),
  oauthSecret: plant("client secret of OAuth"),
  registryPassword: plant("password of the registry"),
  registryToken: plant("token of the registry"),
  given: plant("given secret"),
  rotated: plant("rotated secret"),
  applied: plant("secret of a file"),
  appliedFile: plant("secret in a file that a file names"),
  endpointHeader: plant("header of an endpoint"),
  innocentHeader: plant(
    "header of an endpoint under a name that suggests no secret",
  ),
  patchedHeader: plant("header by PATCH"),
  appliedHeader: plant("header of a file"),
  published: plant("secret of the command publish"),
  inlineDoor: plant("inline secret at the door"),
  eventHeader: plant("header of an event"),
  inlineJson: plant("inline secret as JSON"),
  inlineAvro: plant("inline secret as Avro"),
  refusedDoor: plant("refused secret at the door"),
  refusedJson: plant("refused secret as JSON"),
  refusedAvro: plant("refused secret as Avro"),
  unreadable: plant("secret in what cannot be read"),
  recordHeader: plant("Kafka header of a CloudEvent"),
  refusedRecordHeader: plant("Kafka header of a refused CloudEvent"),
  refusedCloudEvent: plant("secret in a refused CloudEvent"),
  sourceHeader: plant("Kafka header of a source's record"),
  refusedSource: plant("secret in a source's refused record"),
  unreadableSource: plant("secret in a source's record that cannot be read"),
  urlPassword: plant("password in a refused URL"),
  topicUrlPassword: plant("password in a refused URL of the topic"),
  wrongKey: plant("wrong API key"),
  idempotencyKey: plant("idempotency key"),
} satisfies Record<string, Plant>;
export const encryptionKey = anEncryptionKey("encryption key");
/** Comes while the services run. */
export const newerKey = anEncryptionKey("newer encryption key");
export const whsk = ed25519("given whsk_", whskSeed);
/** Client certificates, with their keys as PEM: that for Kafka opens with a password. */
export const kafkaClient = aClient("key for Kafka", P.kafkaKeyPassword.text);
export const registryClient = aClient("key for the registry", null);
export const whsec = {
  name: "given whsec_",
  text: whsecBytes.toString("base64"),
  bytes: [whsecBytes],
};
/** What Postrider itself made: the answer that shows it once gives the text. */
export const made: (Plant & { readonly bytes?: readonly Buffer[] })[] = [];
/** Everything that is looked for, once all of it is made. */
export const allPlants = () => [
  ...Object.values(P),
  encryptionKey,
  newerKey,
  whsec,
  whsk,
  kafkaClient.plant,
  registryClient.plant,
  ...made,
];

/** Where a secret may be, by design (docs/security.md, "Who can do what"): the plant, and the places. */
export const BY_DESIGN: Readonly<Record<string, readonly string[]>> = {
  // The answer to what makes or sets a secret is the one that shows it.
  [P.given.name]: ["answer POST /v1/endpoints"],
  [whsec.name]: ["answer POST /v1/endpoints"],
  [whsk.name]: ["answer POST /v1/endpoints"],
  "made whsk_": ["answer POST /v1/endpoints"],
  "made secret": ["answer POST /v1/endpoints"],
  [P.rotated.name]: ["answer POST /v1/endpoints/:id/rotate-secret"],
  "API key": ["answer POST /v1/keys"],
  // A publisher's own record.
  [P.inlineJson.name]: ["topic events"],
  [P.inlineAvro.name]: ["topic events"],
  [P.refusedJson.name]: ["topic events"],
  [P.refusedAvro.name]: ["topic events"],
  [P.unreadable.name]: ["topic events"],
  [P.topicUrlPassword.name]: ["topic events"],
  [P.recordHeader.name]: ["topic events"],
  [P.refusedCloudEvent.name]: ["topic events"],
  [P.refusedRecordHeader.name]: ["topic events"],
  // An endpoint's header is sealed whatever its name; to those who may see the endpoint it is shown if its name suggests no secret.
  [P.innocentHeader.name]: [
    "answer GET /v1/endpoints",
    "answer GET /v1/endpoints/:id",
    "answer POST /v1/endpoints",
    "answer POST /v1/endpoints/:id/rotate-secret",
  ],
  // An event's headers are not sealed.
  [P.eventHeader.name]: [
    "topic dead-letters",
    "topic deliveries",
    "topic events",
    "topic retry",
  ],
};

function anEncryptionKey(name: string) {
  const key = randomBytes(32);
  return { name, text: key.toString("base64"), bytes: [key] };
}

/** By its private half alone: the public one is shown. */
export function ed25519(name: string, seed: Buffer) {
  // The last character of its base64 is in one with the public half's first bits.
  const text = seed.toString("base64").slice(0, 42);
  return { name, text, bytes: [seed] };
}

/** The key is looked for as its number and by a line of its PEM, encrypted and not. */
function aClient(name: string, password: string | null) {
  const { cert, key: plain } = makeCertificate({ hosts: ["postrider"] });
  const parsed = createPrivateKey(plain);
  const key =
    password === null
      ? plain
      : parsed
          .export({
            type: "pkcs8",
            format: "pem",
            cipher: "aes-256-cbc",
            passphrase: password,
          })
          .toString();
  const secretOf = (pem: string): string => pem.split("\n")[2]!; // a line with none of what all keys begin with
  const { d } = parsed.export({ format: "jwk" });
  const bytes = [Buffer.from(d!, "base64url"), Buffer.from(secretOf(plain))];
  return { cert, key, plant: { name, text: secretOf(key), bytes } };
}
