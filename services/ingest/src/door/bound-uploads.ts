import { pipeline, type Readable, Transform } from "node:stream";
import type { FastifyInstance } from "fastify";
import { DoorProblem } from "./door-problem.ts";
import { UploadBudget, type UploadShare } from "./upload-budget.ts";

export interface UploadLimits {
  /** Of one body. */
  readonly maxBodyBytes: number;
  /** Of all bodies at once; more are refused before they are read. */
  readonly maxUploadBytes: number;
}

/**
 * Bounds the memory of all requests at once. A body of a known length takes its room before it is read, any other as it
 * comes; a request gives its room back when its answer is over. Throws `DoorProblem` where there is none.
 */
export function boundUploads(
  app: FastifyInstance,
  { maxUploadBytes, maxBodyBytes }: UploadLimits,
): void {
  const budget = new UploadBudget(maxUploadBytes);
  app.addHook("preParsing", async (request, reply, payload) => {
    if (request.method !== "POST") return payload;
    const share = budget.share();
    // Also where the sender goes away, or is refused below.
    reply.raw.once("close", () => share.giveBack());
    const length = Number(request.headers["content-length"] ?? NaN);
    if (Number.isNaN(length)) return counted(payload, share);
    if (!share.take(Math.min(length, maxBodyBytes))) throw uploadsFull();
    return payload;
  });
}

function counted(payload: Readable, share: UploadShare): Readable {
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (share.take(chunk.length)) done(null, chunk);
      else done(uploadsFull());
    },
  });
  return pipeline(payload, counting, () => undefined); // what fails, the reader of `counting` sees
}

function uploadsFull(): DoorProblem {
  return new DoorProblem("busy", "Nothing was accepted. Send it again later.", {
    headers: { "retry-after": "1" },
  });
}
