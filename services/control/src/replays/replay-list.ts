/** `GET /v1/replays`: filtered, newest first, page by page, from the table of the topic `control`. */
import type { EpochMs, Replay } from "@postrider/core";
import { z } from "zod";
import {
  exact,
  readAsked,
  someOf,
  WINDOW,
  type Window,
} from "../http/list-parameters.ts";
import { pageOf, pageQuery, type Page } from "../http/page.ts";

export const replayListQuery = z.strictObject({
  ...WINDOW,
  ...pageQuery,
  state: someOf(["running", "paused", "cancelled", "done"]).optional(),
  kind: someOf(["redrive", "backfill"]).optional(),
  createdBy: exact.optional(),
});

export type ReplayListQuery = Omit<
  z.output<typeof replayListQuery>,
  keyof Window
> &
  Window;

/** Throws a `ProblemError` that names every wrong parameter. */
export function parseReplayList(query: unknown, now: EpochMs): ReplayListQuery {
  return readAsked(replayListQuery, query, now);
}

/** The window is that of the times when replays were made. */
export function listReplays(
  replays: Iterable<Replay>,
  asked: ReplayListQuery,
): Page<Replay> {
  const { state, kind, createdBy, tenantId, since, until } = asked;
  const wanted = [...replays].filter(
    (replay) =>
      (state as readonly string[] | undefined)?.includes(replay.state) !==
        false &&
      (kind as readonly string[] | undefined)?.includes(replay.kind) !==
        false &&
      (createdBy === undefined || replay.createdBy === createdBy) &&
      (tenantId === undefined || replay.tenantId === tenantId) &&
      replay.createdAt >= (since ?? -Infinity) &&
      replay.createdAt < (until ?? Infinity),
  );
  return pageOf(wanted, asked, "newest");
}
