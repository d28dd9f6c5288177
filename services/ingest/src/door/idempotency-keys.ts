/**
 * The `Idempotency-Key`s that this process has seen lately. The key makes the event's id, so that every replica makes the same event of it,
 * and route recognises the repeat; that needs no memory. This memory is for what an id does not tell: that a key comes again while its
 * first request is under way, or with another body. It is this process's own: a request at another replica, or after a restart, is only
 * recognised by route.
 *
 * Invariant: a key is in `#underWay` from `claim` until the claim ends, and in a generation if its events are accepted, or may be.
 * A generation holds at most MOST keys; when the newer is full it becomes the older, and the older is forgotten.
 */
import { hash } from "node:crypto";
import { eventIdOfKey } from "@postrider/core";
import { sha256Text } from "@postrider/runtime";
import type { ValidEvent } from "../valid-event.ts";
import { DoorProblem } from "./door-problem.ts";
import type { EventsRequest } from "./read-request.ts";

/** Keys of a generation. Each takes about 250 bytes, so both generations take 12 MB at most. */
const MOST = 25_000;
/** How long a key is remembered at most. */
const KEPT_MS = 24 * 3_600_000;

interface UsedKey {
  /** Hash of the request's body. */
  readonly body: string;
  /** False: the broker has not acknowledged the events, but may have stored them. */
  readonly isAccepted: boolean;
  readonly at: number;
}

/** `nothing`: no event was accepted. `in_doubt`: they may have been. */
export type ClaimEnd = "accepted" | "in_doubt" | "nothing";

/** What a request with a key may do. */
export interface Claim {
  /** The same request was accepted before: the answer is the same, and nothing is to be sent. */
  readonly isAccepted: boolean;
  /** Call once when it is known what became of the events. */
  end(how: ClaimEnd): void;
}

const NO_KEY: Claim = { isAccepted: false, end: () => undefined };
const ACCEPTED: Claim = { isAccepted: true, end: () => undefined };

export class IdempotencyKeys {
  readonly #monotonic: () => number;
  readonly #most: number;
  readonly #underWay = new Set<string>();
  #newer = new Map<string, UsedKey>();
  #older = new Map<string, UsedKey>();

  constructor(monotonic: () => number, most = MOST) {
    this.#monotonic = monotonic;
    this.#most = most;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  /** Throws a `DoorProblem` if a request with the key is under way (409), or the key was used with another body (422). */
  claim(
    { idempotencyKey, body }: Pick<EventsRequest, "idempotencyKey" | "body">,
    events: readonly Pick<ValidEvent, "tenantId">[],
  ): Claim {
    if (idempotencyKey === undefined) return NO_KEY;
    // A key is its tenant's own. An admin's batch may have events of several tenants, and uses the key of each.
    const keys = [...new Set(events.map(({ tenantId }) => tenantId))].map(
      (tenantId) => eventIdOfKey(sha256Text, tenantId, idempotencyKey),
    );
    if (keys.some((key) => this.#underWay.has(key))) throw keyInUse();
    const used = keys.map((key) => this.#get(key));
    const hashed = hash("sha256", body, "base64url");
    if (used.some((one) => one !== undefined && one.body !== hashed))
      throw keyReused();
    if (used.every((one) => one?.isAccepted === true)) return ACCEPTED;
    for (const key of keys) this.#underWay.add(key);
    return {
      isAccepted: false,
      end: (how) => {
        for (const key of keys) {
          this.#underWay.delete(key);
          // After `nothing` what was known before still holds: an earlier request with the key may be in doubt.
          if (how !== "nothing") this.#keep(key, hashed, how === "accepted");
        }
      },
    };
  }

  #get(key: string): UsedKey | undefined {
    const used = this.#newer.get(key) ?? this.#older.get(key);
    const isOver = used !== undefined && this.#monotonic() - used.at > KEPT_MS;
    return isOver ? undefined : used;
  }

  #keep(key: string, body: string, isAccepted: boolean): void {
    if (this.#newer.size >= this.#most && !this.#newer.has(key)) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, { body, isAccepted, at: this.#monotonic() });
  }
}

function keyInUse(): DoorProblem {
  const message = "a request with this key is under way";
  return new DoorProblem(
    "idempotency_key_in_use",
    `idempotency-key: ${message}. Send it again when that has ended.`,
    {
      errors: [{ field: "idempotency-key", rule: "in_use", message }],
      headers: { "retry-after": "1" },
    },
  );
}

function keyReused(): DoorProblem {
  const message = "was sent before with another body; a key names one request";
  return new DoorProblem(
    "idempotency_key_reused",
    `idempotency-key: ${message}`,
    { errors: [{ field: "idempotency-key", rule: "same_body", message }] },
  );
}
