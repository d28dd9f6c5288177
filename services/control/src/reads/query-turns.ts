/**
 * Who may ask ClickHouse now. Of a client at most so many queries run, of one tenant fewer, so that no tenant takes every turn; the
 * others wait in order, and not for long. Without it callers would wait for a connection without an end.
 */
import { ControlProblem } from "../http/problem.ts";

export interface QueryTurns {
  /** Runs `ask` in its turn. Rejects with the problem `too_many_queries` if too many wait already, or the turn does not come in time. */
  inTurn<T>(of: Turn, ask: () => Promise<T>): Promise<T>;
}

export interface Turn {
  /** Whose query it is: a tenant's id, or '' for operators. */
  readonly holder: string;
  /** Aborted when the caller has left: then it waits no longer. */
  readonly gone?: AbortSignal;
}

export interface TurnLimits {
  readonly running: number;
  readonly waiting: number;
  /** Of one holder. */
  readonly ofOne: { readonly running: number; readonly waiting: number };
  readonly waitMs: number;
}

interface Waiting {
  readonly holder: string;
  start(): void;
}

export function createQueryTurns(limits: TurnLimits): QueryTurns {
  const { ofOne } = limits;
  const runningOf = new Map<string, number>();
  const line = new Set<Waiting>();
  let running = 0;

  function mayStart(holder: string): boolean {
    return (
      running < limits.running && (runningOf.get(holder) ?? 0) < ofOne.running
    );
  }

  function begin(holder: string): void {
    running += 1;
    runningOf.set(holder, (runningOf.get(holder) ?? 0) + 1);
  }

  function end(holder: string): void {
    running -= 1;
    const left = (runningOf.get(holder) ?? 0) - 1;
    if (left > 0) runningOf.set(holder, left);
    else runningOf.delete(holder);
    const next = [...line].find((waiting) => mayStart(waiting.holder));
    if (next === undefined) return;
    line.delete(next);
    begin(next.holder);
    next.start();
  }

  async function turnOf({ holder, gone }: Turn): Promise<void> {
    const ofHolder = [...line].filter((one) => one.holder === holder).length;
    if (line.size >= limits.waiting || ofHolder >= ofOne.waiting)
      throw tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { holder, start: resolve };
    // It leaves the line at once: a turn that it was given after that would never be given back.
    const giveUp = (why: Error): void => {
      line.delete(waiting);
      reject(why);
    };
    const leave = (): void => giveUp(gone?.reason as Error);
    const timer = setTimeout(() => giveUp(tooMany()), limits.waitMs).unref();
    gone?.addEventListener("abort", leave, { once: true });
    line.add(waiting);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      gone?.removeEventListener("abort", leave);
    }
  }

  return {
    async inTurn(turn, ask) {
      turn.gone?.throwIfAborted();
      if (mayStart(turn.holder)) begin(turn.holder);
      else await turnOf(turn);
      try {
        return await ask();
      } finally {
        end(turn.holder);
      }
    },
  };
}

function tooMany(): ControlProblem {
  return new ControlProblem(
    "too_many_queries",
    "More queries are asked at the same time than ClickHouse is given. Ask again in a moment, and fewer at once.",
    { headers: { "retry-after": "1" } },
  );
}
