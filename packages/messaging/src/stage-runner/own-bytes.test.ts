import { expect, test } from "@jest/globals";
import {
  soon,
  turns,
  useStageRunner,
  type RunnerUnderTest,
} from "@postrider/testkit";

const runners = useStageRunner();

/** The values of the records that were handled, with the size of the memory that each keeps beside its own bytes. */
function handled(under: RunnerUnderTest): Map<string, number> {
  return new Map(
    under.output.sent.map(({ source }) => {
      const { key, value } = source!;
      const own = value!.length + (key?.length ?? 0);
      return [value!.toString(), value!.buffer.byteLength - own];
    }),
  );
}

test("a record that has waited for a second, and whose neighbours are done, keeps no more memory than its bytes", async () => {
  let looks = 0;
  const under = await runners.started([], {
    loopUse: () => ({ active: 0, idle: looks++ }),
    stage: { laneConcurrency: () => 1 },
  });
  // Offsets 0 to 5. Of the slow lane, 2 will stand alone, and 4 and 5 beside each other.
  under.read("slow/0", "b/0", "slow/alone", "b/1", "slow/pair", "slow/other");
  const emit = async (value: string) => {
    (
      await soon(() => under.handling.find((one) => one.value === value))
    ).emit();
    await turns();
  };
  await emit("b/0");
  await emit("b/1");

  under.clock.advance(1_000);
  const enough = looks + 3;
  await soon(() => looks >= enough);
  for (const value of ["slow/0", "slow/alone", "slow/pair", "slow/other"])
    await emit(value);

  const bytes = handled(under);
  expect(bytes.get("slow/alone")).toBe(0);
  // Node's pool of small buffers, of which the test's values are views.
  for (const value of ["slow/0", "slow/pair", "slow/other"])
    expect(bytes.get(value)).toBeGreaterThan(Buffer.poolSize / 2);
});
