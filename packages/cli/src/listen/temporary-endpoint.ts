/**
 * The endpoint that is there while `listen` runs. Invariant: at most one of a name and tenant; it is found again by its
 * externalId, so what a killed `listen` left behind goes when the next one of its name begins, or by `endpoints delete`.
 */
import { findAddresses } from "../addresses.ts";
import { ApiRefusal, callApi, isUrlRefusal } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { matching, pathOf } from "../endpoint-path.ts";
import { readEndpoints, type Endpoint } from "../read-endpoints.ts";

export interface TemporaryEndpoint {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  /** What an earlier `listen` of the same name had left behind, or still has; it is deleted. */
  readonly replaced: readonly string[];
  /** Resolves to false where somebody else has removed it already. */
  remove(): Promise<boolean>;
}

export interface Wanted {
  readonly name: string;
  readonly tenantId: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Short waits, and an end: a developer looks at it now, and what is not delivered within minutes is a dead letter, not a
 * backlog of days. So while a killed command's endpoint is there, each event costs five attempts, or ten minutes behind its
 * open breaker, and no more.
 */
const POLICY = {
  retryDelaysMs: [1_000, 5_000, 15_000, 60_000],
  maxAgeMs: 600_000,
};

export function externalIdOf(name: string): string {
  return `listen:${name}`;
}

/**
 * Deletes what is left of the name, and makes the endpoint. A new one rather than the old one with another URL: its breaker is
 * closed, and what failed before does not come back late.
 */
export async function makeTemporaryEndpoint(
  wanted: Wanted,
): Promise<TemporaryEndpoint> {
  const { name, tenantId, url, eventTypes, timeoutMs } = wanted;
  const control = findAddresses().control();
  const externalId = externalIdOf(name);
  const replaced: string[] = [];
  for (const { id } of await readEndpoints(control, { tenantId, externalId }))
    if (await removed(id, "another listen of this name begins"))
      replaced.push(id);
  const made = (await callApi(control, {
    method: "POST",
    path: "/v1/endpoints",
    body: JSON.stringify({
      tenantId,
      url,
      eventTypes,
      externalId,
      description: `postrider listen ${name}; goes when the command ends`,
      timeoutMs,
      ...POLICY,
    }),
  }).catch((error: unknown) => {
    throw isUrlRefusal(error) ? unreachable(error, url) : error;
  })) as Endpoint; // this is what control's API answers
  const { id, secret = "" } = made;
  const remove = (): Promise<boolean> => removed(id, "listen has ended");
  return { id, url, secret, replaced, remove };
}

/** At the version that it has now: nobody's change of a temporary endpoint is worth keeping. */
async function removed(id: string, why: string): Promise<boolean> {
  const control = findAddresses().control();
  const path = pathOf(id);
  for (let tries = 0; ; tries += 1)
    try {
      const { version } = (await callApi(control, {
        method: "GET",
        path,
      })) as Endpoint; // this is what control's API answers
      await callApi(control, {
        method: "DELETE",
        path,
        headers: { ...matching(version), "x-audit-reason": why },
      });
      return true;
    } catch (error) {
      if (error instanceof ApiRefusal && error.status === 404) return false;
      const isStale = error instanceof ApiRefusal && error.status === 412;
      if (!isStale || tries >= 3) throw error;
    }
}

function unreachable(refusal: ApiRefusal, url: string): CliError {
  return new CliError(EXIT.refused, `Postrider does not deliver to ${url}.`, {
    why: refusal.why ?? undefined,
    next: "Give --port and --public-url URL, an address of this machine that Postrider's dispatchers reach and may reach: a tunnel's, or one that POSTRIDER_ALLOW_CIDRS allows.",
    cause: refusal,
  });
}
