import { expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import { createAskedAdmin } from "./asked-admin.ts";

function aKafka() {
  const seen = { made: 0, open: 0 };
  const make = () => ({
    connect: async () => {
      seen.made += 1;
      seen.open += 1;
    },
    disconnect: async () => void (seen.open -= 1),
    answer: async (text: string) => text,
  });
  return { seen, make };
}

test("who asks while another asks, or soon after, uses the same connection", async () => {
  const { seen, make } = aKafka();
  const asked = createAskedAdmin(make, { idleMs: 60_000 });

  const both = await Promise.all([
    asked.ask((admin) => admin.answer("a")),
    asked.ask((admin) => admin.answer("b")),
  ]);
  const later = await asked.ask((admin) => admin.answer("c"));

  expect([...both, later]).toEqual(["a", "b", "c"]);
  expect(seen).toEqual({ made: 1, open: 1 });
  await asked.stop(0);
  expect(seen.open).toBe(0);
});

test("once nobody has asked for a while the connection is closed, and made again for the next question", async () => {
  const { seen, make } = aKafka();
  const asked = createAskedAdmin(make, { idleMs: 1 });

  await asked.ask((admin) => admin.answer("a"));
  await waitFor(() => seen.open === 0);
  await asked.ask((admin) => admin.answer("b"));

  expect(seen).toEqual({ made: 2, open: 1 });
  await asked.stop(0);
});

test("a question under way keeps the connection open, however long it takes", async () => {
  const { seen, make } = aKafka();
  const asked = createAskedAdmin(make, { idleMs: 1 });
  const long = Promise.withResolvers<string>();

  const answer = asked.ask(() => long.promise);
  await asked.ask((admin) => admin.answer("short"));
  // Its idle time begins later than this one's would have.
  const other = aKafka();
  await createAskedAdmin(other.make, { idleMs: 1 }).ask(async () => {});
  await waitFor(() => other.seen.open === 0);
  const openMeanwhile = seen.open;
  long.resolve("long");

  expect(await answer).toBe("long");
  expect(openMeanwhile).toBe(1);
  await waitFor(() => seen.open === 0);
});

test("a failure closes the connection, and the next question makes another", async () => {
  const { seen, make } = aKafka();
  const asked = createAskedAdmin(make, { idleMs: 60_000 });

  await expect(
    asked.ask(() => Promise.reject(new Error("no broker"))),
  ).rejects.toThrow("no broker");
  const openAfter = seen.open;
  await asked.ask((admin) => admin.answer("a"));

  expect(openAfter).toBe(0);
  expect(seen).toEqual({ made: 2, open: 1 });
  await asked.stop(0);
});

test("a question under way when another's failure, or a stop, closes the connection leaves none open", async () => {
  const { seen, make } = aKafka();
  const asked = createAskedAdmin(make, { idleMs: 60_000 });
  const closed = Promise.withResolvers<void>();
  const long = () =>
    asked.ask(async (admin) => {
      await closed.promise;
      await admin.connect(); // as kafkajs does by itself for the next request
    });

  const answers = [long()];
  await asked.ask(() => Promise.reject(new Error("no"))).catch(() => undefined);
  answers.push(long());
  await asked.stop(0);
  closed.resolve();
  await Promise.all(answers);

  expect(seen.open).toBe(0);
});
