import {
  COMMON_KINDS,
  ProblemError,
  type ProblemKinds,
  type ProblemOptions,
} from "@postrider/http";

/** The kinds of problem that only the door answers with. */
export const DOOR_KINDS = {
  too_slow: [408, "The request did not arrive in time"],
  unfit_event: [422, "The tenant's event types refuse the event"],
  idempotency_key_in_use: [409, "A request with this key is under way"],
  idempotency_key_reused: [422, "The key belongs to another request"],
  busy: [503, "Too much is being taken in at once"],
  types_behind: [503, "The event types are not read to their end"],
  not_acknowledged: [503, "Kafka has not acknowledged the events"],
} as const satisfies ProblemKinds;

/** Status and title of the door's answers other than 202. */
const KINDS = { ...COMMON_KINDS, ...DOOR_KINDS } as const;
export type DoorProblemKind = keyof typeof KINDS;

/** An answer of the door other than 202. */
export class DoorProblem extends ProblemError<DoorProblemKind> {
  override readonly name = "DoorProblem";

  constructor(code: DoorProblemKind, detail: string, options?: ProblemOptions) {
    super(KINDS, code, detail, options);
  }
}
