import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { DoorProblem } from "./door-problem.ts";
import { UploadBody } from "./upload-body.ts";
import { UploadBudget, type UploadShare } from "./upload-budget.ts";

export interface UploadLimits {
  /** Limit for one body. */
  readonly maxBodyBytes: number;
  /** Limit for all bodies at once; a request beyond it is refused. */
  readonly maxUploadBytes: number;
  /** How long no byte of a body may arrive before the request is refused. Default: 10 s. */
  readonly idleUploadMs?: number;
}

/**
 * Reads every body as bytes and bounds the memory of all bodies together. A body is counted as its bytes arrive, not by
 * its content-length: so an upload that stalls holds little more than the bytes that have arrived, and does not keep others
 * out. A request gives its bytes back when its response is closed. Throws `DoorProblem`.
 */
export function boundUploads(app: FastifyInstance, limits: UploadLimits): void {
  const budget = new UploadBudget(limits.maxUploadBytes);
  const shares = new WeakMap<FastifyRequest, UploadShare>();
  app.addHook("preParsing", (request, reply, payload, done) => {
    const share = budget.share();
    shares.set(request, share);
    // The response also closes if the sender goes away or is refused below.
    reply.raw.once("close", () => share.giveBack());
    done(null, payload);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "*",
    (request: FastifyRequest, payload: Readable, done: Done) => {
      const { maxBodyBytes } = limits;
      const length = Number(request.headers["content-length"] ?? maxBodyBytes);
      if (length > maxBodyBytes) return done(tooLarge(maxBodyBytes));
      const share = shares.get(request) ?? budget.share();
      read(payload, new UploadBody(share, length), { ...limits, done });
    },
  );
}

/** Called once, with a problem or with the body. */
type Done = (problem: DoorProblem | null, body?: Buffer) => void;

function read(
  payload: Readable,
  body: UploadBody,
  given: UploadLimits & { readonly done: Done },
): void {
  const { maxBodyBytes, idleUploadMs = 10_000, done } = given;
  const idle = setTimeout(() => refuse(standsStill()), idleUploadMs);
  const take = (piece: Buffer): void => {
    idle.refresh();
    if (body.length + piece.length > maxBodyBytes)
      refuse(tooLarge(maxBodyBytes));
    else if (!body.add(piece)) refuse(uploadsFull());
  };
  const refuse = (problem: DoorProblem): void => {
    payload.off("data", take).resume(); // read the rest and drop it
    end(problem);
  };
  let isOver = false;
  const end: Done = (problem, whole) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(idle);
    done(problem, whole);
  };
  payload
    .on("data", take)
    .once("end", () => end(null, body.takeBytes()))
    .once("error", () => refuse(brokenOff()));
}

function tooLarge(maxBodyBytes: number): DoorProblem {
  const message = `must be at most ${maxBodyBytes} bytes`;
  return new DoorProblem("too_large", `body: ${message}`, {
    errors: [{ field: "body", rule: "max_bytes", message }],
  });
}

function uploadsFull(): DoorProblem {
  return new DoorProblem("busy", "Nothing was accepted. Send it again later.", {
    headers: { "retry-after": "1" },
  });
}

function standsStill(): DoorProblem {
  return new DoorProblem(
    "too_slow",
    "Nothing was accepted: the body stood still.",
    { headers: { connection: "close" } },
  );
}

function brokenOff(): DoorProblem {
  return new DoorProblem("bad_request", "body: did not arrive as a whole", {
    errors: [
      { field: "body", rule: "whole", message: "did not arrive as a whole" },
    ],
  });
}
