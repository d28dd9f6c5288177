import { expect, test } from "@jest/globals";
import { createQueryTurns } from "./query-turns.ts";

const LIMITS = {
  running: 4,
  waiting: 8,
  ofOne: { running: 2, waiting: 4 },
  waitMs: 60_000,
};

/** Queries that run until they are told to end. */
function queriesOf(limits: Partial<typeof LIMITS> = {}) {
  const turns = createQueryTurns({ ...LIMITS, ...limits });
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    async end(name: string) {
      ends.get(name)?.();
      await settled();
    },
    ask(name: string, holder: string, gone?: AbortSignal) {
      const asked = turns.inTurn({ holder, ...(gone && { gone }) }, () => {
        started.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      });
      const told = asked.then(
        () => "answered",
        (error: Error) => error.message.slice(0, 12),
      );
      return told;
    },
  };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a tenant that asks much leaves turns to the others", async () => {
  const queries = queriesOf();

  for (const name of ["a1", "a2", "a3", "a4"]) void queries.ask(name, "acme");
  for (const name of ["g1", "g2"]) void queries.ask(name, "globex");
  await settled();

  expect(queries.started).toEqual(["a1", "a2", "g1", "g2"]);
});

test("the first that waits and may start follows one that ends", async () => {
  const queries = queriesOf();
  for (const name of ["a1", "a2", "a3"]) void queries.ask(name, "acme");
  for (const name of ["g1", "g2", "g3"]) void queries.ask(name, "globex");
  void queries.ask("i1", "initech");

  await queries.end("g1");
  await queries.end("a1");
  await queries.end("a2");

  expect(queries.started.slice(4)).toEqual(["g3", "a3", "i1"]);
});

test("what would wait behind too many is refused at once, of one tenant before that of all", async () => {
  const queries = queriesOf();
  const asked = Array.from({ length: 7 }, (_, n) =>
    queries.ask(`a${n}`, "acme"),
  );

  expect(await asked[6]).toBe("More queries");
  for (let n = 0; n < 2; n += 1) void queries.ask(`g${n}`, "globex");
  for (let n = 0; n < 4; n += 1) void queries.ask(`h${n}`, "globex");
  expect(await queries.ask("i", "initech")).toBe("More queries");
});

test("a turn that does not come in time is given up, and so is one whose caller has left", async () => {
  const queries = queriesOf({ waitMs: 1, running: 1 });
  const gone = new AbortController();
  void queries.ask("a1", "acme");

  const late = queries.ask("a2", "acme");
  const left = queries.ask("a3", "acme", gone.signal);
  gone.abort(new Error("caller left!"));

  expect(await left).toBe("caller left!");
  expect(await late).toBe("More queries");
  await queries.end("a1");
  expect(queries.started).toEqual(["a1"]);
  void queries.ask("a4", "acme");
  await settled();
  expect(queries.started).toEqual(["a1", "a4"]);
});
