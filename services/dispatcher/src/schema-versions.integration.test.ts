/** A rolling upgrade's records: deliveries in a later version of their schema, read by the dispatcher of today, on a real Kafka, with and without a real registry. */
import { describe, expect, test } from "@jest/globals";
import { readSchemaFiles } from "@postrider/messaging";
import {
  nextSchemas,
  readTopics,
  useRegistry,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { encodedUnseen, toDeliveries } from "../fixtures/later-version.ts";
import { useUpgrades } from "../fixtures/upgrade.ts";

const stack = useStack();
const given = useRegistry();
const { anUpgrade } = useUpgrades(stack, given);

const cases = [
  ["without a registry", false],
  ["with a registry", true],
] as const;

describe.each(cases)("%s", (name, hasRegistry) => {
  const testIf = given.isThere || !hasRegistry ? test : test.skip;
  const prefix = name.replaceAll(" ", "-");

  testIf(
    "deliveries of the next version are delivered, also when their schema comes after them, and the next version reads what today's dispatcher writes",
    async () => {
      const under = anUpgrade(prefix, hasRegistry);
      await under.start();
      const today = await under.schemas(readSchemaFiles());
      const [first, late, sibling] = [1, 2, 3].map(() => under.aDelivery());

      const next = await under.schemas(nextSchemas("next"));
      await under.send(next.encode(toDeliveries(first!)));
      await under.delivered(first!);

      const publishLate = hasRegistry
        ? await under.hiddenInRegistry("afterwards")
        : { id: null, publish: () => under.schemas(nextSchemas("afterwards")) };
      await under.send(encodedUnseen("afterwards", late!, publishLate.id));
      await under.send(today.encode(toDeliveries(sibling!)));
      await under.delivered(sibling!);
      await waitFor(() => under.check("deliver.schemas"));
      expect(under.check("deliver.schemas")).toMatch(
        /^degraded: 1 record waiting for schemas: /,
      );
      await publishLate.publish();
      await under.delivered(late!);

      await waitFor(() => under.check("deliver.schemas") === "");
      const read = async (topic: string) =>
        await readTopics(under.kafka, [under.prefix + topic]);
      expect(await read("dead-letters")).toEqual([]);
      const attempts = await waitFor(async () => {
        const records = await read("attempts");
        return records.length === 3 && records;
      });
      const decode = next.decoderOf("attempts");
      const ids = await waitFor(() => {
        const decoded = attempts.map((raw) => decode(raw));
        return (
          decoded.every((one) => one.kind === "decoded") &&
          decoded.map(({ value }) => value.deliveryId)
        );
      });
      expect(ids.toSorted()).toEqual(
        [first, late, sibling].map((one) => one!.deliveryId).toSorted(),
      );
    },
    60_000,
  );

  testIf(
    "a delivery whose schema never comes is a dead letter when the limit is over, with what is needed to send it again",
    async () => {
      const under = anUpgrade(`${prefix}-never`, hasRegistry);
      await under.start({ POSTRIDER_UNKNOWN_SCHEMA_WAIT: "300ms" });
      const lost = under.aDelivery();
      const hidden = hasRegistry
        ? await under.hiddenInRegistry("never")
        : { id: null, publish: () => Promise.resolve() };
      const value = encodedUnseen("never", lost, hidden.id);
      await under.send(value);

      const [letter] = await waitFor(async () => {
        const topic = `${under.prefix}dead-letters`;
        const records = await readTopics(under.kafka, [topic]);
        return records.length > 0 && records;
      });

      await hidden.publish();
      const today = await under.schemas(readSchemaFiles());
      const decoded = await waitFor(() => {
        const now = today.decoderOf("dead-letters")(letter!);
        return now.kind === "decoded" && now.value;
      });
      expect(decoded).toMatchObject({
        reason: "unknown_schema",
        stage: "deliver",
      });
      expect(Buffer.from(decoded.rawValue!).equals(value)).toBe(true);
    },
    60_000,
  );
});
