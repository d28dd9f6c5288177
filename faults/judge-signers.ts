/** Judges by which secrets the requests for an endpoint were signed, while its secrets were rotated. */
import type { EpochMs } from "@postrider/core";
import { verify } from "@postrider/signing";
import type { ReceivedRequest } from "@postrider/testkit";
import { versionsOf, type EndpointVersion } from "./endpoint-versions.ts";
import type { Behaviour } from "./endpoints.ts";
import type { World } from "./world.ts";

/** A dispatcher that lives has a change of an endpoint within this time. One that starts later has it from its start. */
const KNOWN_WITHIN_MS = 10_000;

export interface SignersFound {
  /** What is wrong, in words. */
  readonly problems: readonly string[];
  /** Retries that were signed by the secrets of the attempt before, and by more. */
  readonly joined: number;
  /** Retries that were signed by none of the secrets of the attempt before. */
  readonly replaced: number;
}

/** Compares the signers of each request with the versions of the endpoint in the log. `dispatchers` tells when each one was started; only the last of them lives. */
export async function judgeSigners(
  world: World,
  behaviour: Behaviour,
  dispatchers: readonly EpochMs[],
): Promise<SignersFound> {
  const versions = await versionsOf(world, behaviour);
  const texts = versions.flatMap(({ secrets }) =>
    secrets.map(({ text }) => text),
  );
  const all = [...new Set(texts)];
  const problems: string[] = [];
  /** The signers of the attempts so far, by webhook-id. */
  const earlier = new Map<string, string[]>();
  let joined = 0;
  let replaced = 0;
  for (const request of world.receiver.requests) {
    if (request.path !== `/${behaviour}`) continue;
    const { headers, body, at: now } = request;
    const signers = all.filter(
      (secret) => verify({ headers, body, secrets: [secret], now }).ok,
    );
    const names = signers.map((secret) => all.indexOf(secret) + 1).join("+");
    const count = headers["webhook-signature"]?.split(" ").length ?? 0;
    const allowed = allowedSigners(request, versions, dispatchers);
    if (count !== signers.length || !allowed.has(signers.join()))
      problems.push(
        `${behaviour}: ${headers["webhook-id"]} at ${now} has ${count} signatures, by ${names}`,
      );
    const id = headers["webhook-id"] ?? "";
    const before = earlier.get(id);
    earlier.set(id, signers);
    if (before === undefined || before.join() === signers.join()) continue;
    if (before.every((secret) => signers.includes(secret))) joined += 1;
    if (!before.some((secret) => signers.includes(secret))) replaced += 1;
  }
  return { problems, joined, replaced };
}

/** The sets of secrets by which the request may be signed. There is more than one only where its dispatcher may not have had the last version yet, or where a secret ended in the second in which it was signed. */
function allowedSigners(
  { headers, at }: ReceivedRequest,
  versions: readonly EndpointVersion[],
  dispatchers: readonly EpochMs[],
): Set<string> {
  const signedAfter = Number(headers["webhook-timestamp"]) * 1_000;
  const startedAt = dispatchers.findLast((start) => start <= signedAfter) ?? 0;
  const knownBefore = Math.max(startedAt, signedAfter - KNOWN_WITHIN_MS);
  const isOld = ({ writtenAt }: EndpointVersion): boolean =>
    writtenAt < knownBefore;
  const possible = versions.filter(
    (version, i) =>
      version.writtenAt <= at &&
      (i === versions.length - 1 || !isOld(versions[i + 1]!)),
  );
  const allowed = new Set<string>();
  for (const { secrets } of possible) {
    const ends = secrets.flatMap(({ expiresAt }) => expiresAt ?? []);
    for (const time of [signedAfter, ...ends, at]) {
      if (time < signedAfter || time > at) continue;
      const valid = secrets.filter(
        ({ expiresAt }) => expiresAt === null || expiresAt > time,
      );
      allowed.add(valid.map(({ text }) => text).join());
    }
  }
  return allowed;
}
