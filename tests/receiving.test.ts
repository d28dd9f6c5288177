/** Runs each program of examples/receiving as a process of its own, and sends it requests that our own signing package has signed. */
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { publicKeyOf, sign } from "@postrider/signing";
import { waitFor } from "@postrider/testkit";
import {
  EXAMPLE_RECEIVERS,
  ExampleProcesses,
  WITH_PACKAGE,
  type RunningReceiver,
} from "./example-receivers.ts";
import { onlyWith } from "./only-with.ts";

/** The first `go build` of a machine compiles Go's standard library, too. */
const COMPILING_MS = 300_000;
const OLD = "whsec_b2xkIHNlY3JldCBvZiB0aGUgZW5kcG9pbnQ=";
const NEW = "whsec_bmV3IHNlY3JldCBvZiB0aGUgZW5kcG9pbnQh";
const OTHER = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldCBoZXJl";
const ED25519 =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
/** Spelled so that its bytes do not survive parsing. */
const BODY = '{"total":12.50, "note":"Gr\\u00fc\u00dfe"}';

const processes = new ExampleProcesses();
afterAll(async () => await processes.end());

interface Sent {
  readonly id?: string;
  readonly secrets?: readonly string[];
  readonly ageSeconds?: number;
  /** The bytes that are signed; those of `body` if left out. */
  readonly signedBody?: string;
  readonly body?: string;
  /** Header values that replace those that are right; "" leaves the header out. */
  readonly headers?: Readonly<Record<string, string>>;
}

let sentSoFar = 0;
const newId = (): string => `msg_${(sentSoFar += 1)}`;

async function send(url: string, sent: Sent = {}): Promise<Response> {
  const { id = newId(), secrets = [NEW], body = BODY, ageSeconds = 0 } = sent;
  const timestamp = Math.floor(Date.now() / 1_000) - ageSeconds;
  const bytes = Buffer.from(sent.signedBody ?? body);
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign({ id, timestamp, body: bytes, secrets }),
    ...sent.headers,
  };
  const given = Object.entries(headers).filter(([, value]) => value !== "");
  return await fetch(`${url}/hooks`, { method: "POST", headers: given, body });
}

for (const example of EXAMPLE_RECEIVERS) {
  const { name, probe } = example;
  const { describeHere, note } = onlyWith(...probe);

  describeHere(`the receiver in ${name}${note}`, () => {
    let receiver: RunningReceiver;
    beforeAll(async () => {
      // The order of a rotation: the new secret first. Any order must do.
      receiver = await processes.start(example, [NEW, OLD]);
    }, COMPILING_MS);

    test("takes a request that is signed, answers without a body and then does its work", async () => {
      const id = newId();

      const response = await send(receiver.url, { id });

      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
      await waitFor(() => receiver.lines().includes(`${id} ${BODY}`));
    });

    test("does its work once for a webhook that comes twice", async () => {
      const id = newId();
      const last = newId();

      const first = await send(receiver.url, { id });
      // A retry is signed anew, at another time, and keeps its id.
      const second = await send(receiver.url, { id, ageSeconds: 5 });
      await send(receiver.url, { id: last });

      expect([first.status, second.status]).toEqual([204, 204]);
      // The work is done in order, so what comes after both has been printed after both.
      await waitFor(() => receiver.lines().includes(`${last} ${BODY}`));
      expect(
        receiver.lines().filter((line) => line === `${id} ${BODY}`),
      ).toHaveLength(1);
    });

    test.each<readonly [string, Sent]>([
      ["the new secret alone", { secrets: [NEW] }],
      ["the old secret alone", { secrets: [OLD] }],
      ["both secrets", { secrets: [OLD, NEW] }],
      [
        "another secret and, second, one that is right",
        { secrets: [OTHER, OLD] },
      ],
      [
        "an ed25519 key and a secret that is right",
        { secrets: [ED25519, NEW] },
      ],
      ["a secret that is right, 4 minutes ago", { ageSeconds: 240 }],
      ["a clock that is 4 minutes ahead", { ageSeconds: -240 }],
    ])("takes what is signed by %s", async (_, sent) => {
      expect((await send(receiver.url, sent)).status).toBe(204);
    });

    test.each<readonly [string, Sent]>([
      [
        "whose body was serialised again",
        { signedBody: BODY, body: '{"total":12.5,"note":"Gr\u00fc\u00dfe"}' },
      ],
      ["with another body", { signedBody: BODY, body: "{}" }],
      ["signed by another secret", { secrets: [OTHER] }],
      ["signed by no version that it knows", { secrets: [ED25519] }],
      ["that was signed 6 minutes ago", { ageSeconds: 360 }],
      ["that was signed for 6 minutes from now", { ageSeconds: -360 }],
      [
        "with another id than was signed",
        { headers: { "webhook-id": "msg_else" } },
      ],
      [
        "with another time than was signed",
        {
          headers: {
            "webhook-timestamp": String(Math.floor(Date.now() / 1_000) - 60),
          },
        },
      ],
      [
        "with a signature that is no base64",
        { headers: { "webhook-signature": "v1,%%%" } },
      ],
      [
        "with bytes that are no ASCII in the signature",
        { headers: { "webhook-signature": "v1,\u00fc\u00df" } },
      ],
      ["without an id", { headers: { "webhook-id": "" } }],
      ["without a time", { headers: { "webhook-timestamp": "" } }],
      ["without a signature", { headers: { "webhook-signature": "" } }],
      [
        "with a time that is no number",
        { headers: { "webhook-timestamp": "now" } },
      ],
      [
        "with a time that no clock reaches",
        { headers: { "webhook-timestamp": "9".repeat(40) } },
      ],
    ])("refuses a request %s, and does no work", async (_, sent) => {
      const id = newId();
      const last = newId();

      const response = await send(receiver.url, { id, ...sent });
      await send(receiver.url, { id: last });

      expect(response.status).toBe(401);
      await waitFor(() => receiver.lines().includes(`${last} ${BODY}`));
      const about = receiver
        .lines()
        .filter((line) => line.startsWith(`${id} `));
      expect(about).toEqual([]);
    });

    test("refuses an id with a full stop, with which the signature of other bytes would fit", async () => {
      const timestamp = Math.floor(Date.now() / 1_000);
      // What is signed is `msg_1.TIME.TIME.{}`: as well the id `msg_1.TIME`, the same time and the body `{}`.
      const signature = sign({
        id: "msg_1",
        timestamp,
        body: Buffer.from(`${timestamp}.{}`),
        secrets: [NEW],
      });
      const headers = {
        "webhook-id": `msg_1.${timestamp}`,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signature,
      };

      const response = await send(receiver.url, { body: "{}", headers });

      expect(response.status).toBe(401);
    });

    test("refuses a body that is too large without waiting for it", async () => {
      const request = httpRequest(receiver.url, {
        method: "POST",
        headers: { "content-length": "2000000" },
      });
      request.on("error", () => undefined); // the connection ends in the middle of the request
      request.flushHeaders();

      const [response] = (await once(request, "response")) as [
        { statusCode: number },
      ];
      request.destroy();

      expect(response.statusCode).toBe(413);
    });

    test("is still there", async () => {
      expect(receiver.child.exitCode).toBeNull();
      expect((await send(receiver.url)).status).toBe(204);
    });

    test("does not start without a secret", async () => {
      const { status, printed } = await processes.endOf(example, " ");

      expect(status).toBeGreaterThan(0);
      expect(printed).toContain(
        "Set WEBHOOK_SECRETS to the endpoint's secret (whsec_",
      );
    });

    // Decoded leniently, these are an empty key, with which anybody can sign.
    test("does not start with a secret that is no base64, or empty behind its prefix", async () => {
      const ends = await Promise.all(
        ["whsec_", "whsec_%%%", `${NEW} whsec_===`].map(
          async (secrets) => await processes.endOf(example, secrets),
        ),
      );

      for (const { status, printed } of ends) {
        expect(status).toBeGreaterThan(0);
        expect(printed).toContain("must be base64");
        expect(printed).not.toContain("Listening");
        expect(printed).not.toContain(NEW);
      }
    });

    if (example !== WITH_PACKAGE)
      test("does not start with a public key, with which it could only make an HMAC that anybody can make", async () => {
        const publicKey = publicKeyOf(ED25519)!;

        const { status, printed } = await processes.endOf(example, publicKey);

        expect(status).toBeGreaterThan(0);
        expect(printed).toContain("whpk_ and whsk_ are ed25519 keys");
      });
  });
}

test("the receiver with our package verifies ed25519 signatures, too", async () => {
  const secret = publicKeyOf(ED25519)!;
  const { url } = await processes.start(WITH_PACKAGE, [secret]);

  expect((await send(url, { secrets: [ED25519] })).status).toBe(204);
  expect((await send(url, { secrets: [NEW] })).status).toBe(401);
});
