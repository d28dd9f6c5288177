/** Everything that is planted, and where it may be found. */
import { randomBytes } from "node:crypto";
import { plant, type Plant } from "./search.ts";

const keyBytes = randomBytes(32);
const whsecBytes = randomBytes(24);
/** What is planted. */
export const P = {
  adminKey: plant("admin key"),
  kafkaPassword: plant("password of Kafka"),
  recorderPassword: plant("password of ClickHouse in a file"),
  controlPassword: plant("password of ClickHouse in its URL"),
  wrongKafkaPassword: plant("refused password of Kafka"),
  wrongClickhousePassword: plant("refused password of ClickHouse"),
  registryPassword: plant("password of the registry"),
  given: plant("given secret"),
  rotated: plant("rotated secret"),
  applied: plant("secret of a file"),
  endpointHeader: plant("header of an endpoint"),
  innocentHeader: plant(
    "header of an endpoint under a name that suggests no secret",
  ),
  appliedHeader: plant("header of a file"),
  inlineDoor: plant("inline secret at the door"),
  eventHeader: plant("header of an event"),
  inlineJson: plant("inline secret as JSON"),
  inlineAvro: plant("inline secret as Avro"),
  refusedDoor: plant("refused secret at the door"),
  refusedJson: plant("refused secret as JSON"),
  refusedAvro: plant("refused secret as Avro"),
  unreadable: plant("secret in what cannot be read"),
  urlPassword: plant("password in a refused URL"),
  topicUrlPassword: plant("password in a refused URL of the topic"),
  wrongKey: plant("wrong API key"),
  idempotencyKey: plant("idempotency key"),
} satisfies Record<string, Plant>;
export const encryptionKey = {
  name: "encryption key",
  text: keyBytes.toString("base64"),
  bytes: [keyBytes],
};
export const whsec = {
  name: "given whsec_",
  text: whsecBytes.toString("base64"),
  bytes: [whsecBytes],
};
/** What Postrider itself made: the answer that shows it once gives the text. */
export const made: Plant[] = [];

/** Where a secret may be, by design (docs/security.md, "Who can do what"): the plant, and the places. */
export const BY_DESIGN: Readonly<Record<string, readonly string[]>> = {
  // The answer to what makes or sets a secret is the one that shows it.
  [P.given.name]: ["answer POST /v1/endpoints"],
  [whsec.name]: ["answer POST /v1/endpoints"],
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
