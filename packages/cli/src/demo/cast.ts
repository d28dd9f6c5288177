/** The receivers of the tour: five roles in one server, checked with the `standardwebhooks` package, which receivers would use. */
import { startReceiver, type ReceivedRequest } from "@postrider/testkit";
import { Webhook } from "standardwebhooks";
import type { Narrator } from "./narrator.ts";

export const ROLES = ["healthy", "flaky", "dead", "inline", "down"] as const;
export type Role = (typeof ROLES)[number];

/** What a receiver saw of one request. */
export interface Seen {
  readonly role: Role;
  readonly at: number;
  readonly webhookId: string;
  readonly answered: number;
  readonly body: string;
  /** By the `standardwebhooks` package; null when no secret is known for the path. */
  readonly isSignatureValid: boolean | null;
}

export interface Cast {
  urlOf(role: Role): string;
  /** From now on the requests of this role are checked with this secret. */
  knowSecret(role: Role, secret: string): void;
  seenBy(role: Role): readonly Seen[];
  /** From now on the role answers 200. */
  repair(role: "down" | "dead"): void;
  close(): Promise<void>;
}

/** Listens on the address `host` and tells what comes. The roles' answers: healthy and inline 200; flaky 500, then 503 with Retry-After, then 200; dead 500 and down 503 until they are repaired, then 200. */
export async function startCast(
  narrator: Narrator,
  host = "127.0.0.1",
): Promise<Cast> {
  const secrets = new Map<Role, string>();
  const seen: Seen[] = [];
  const repaired = new Set<Role>();
  const receiver = await startReceiver({
    host,
    answer: (request) => {
      const role = roleOf(request);
      const nth = seen.filter((one) => one.role === role).length;
      const answer = answerOf(role, nth, repaired.has(role));
      const one: Seen = {
        role,
        at: request.at,
        webhookId: request.headers["webhook-id"] ?? "",
        answered: answer.status,
        body: request.body.toString(),
        isSignatureValid: verify(request, secrets.get(role)),
      };
      seen.push(one);
      if (role !== "down") narrator.say(seenLine(one)); // of the role down there are dozens: its steps count them
      return answer;
    },
  });
  return {
    urlOf: (role) => `${receiver.url}/${role}`,
    knowSecret: (role, secret) => void secrets.set(role, secret),
    seenBy: (role) => seen.filter((one) => one.role === role),
    repair: (role) => void repaired.add(role),
    close: () => receiver.close(),
  };
}

function seenLine(seen: Seen): string {
  const signature =
    seen.isSignatureValid === true ? "signature right" : "SIGNATURE WRONG";
  return `→ POST /${seen.role.padEnd(8)} ${signature}, answered ${seen.answered}`;
}

export const RETRY_AFTER_SECONDS = 3;

function answerOf(
  role: Role,
  nth: number,
  isRepaired: boolean,
): { status: number; headers?: Readonly<Record<string, string>> } {
  switch (role) {
    case "healthy":
    case "inline":
      return { status: 200 };
    case "dead":
      return { status: isRepaired ? 200 : 500 };
    case "down":
      return { status: isRepaired ? 200 : 503 };
    case "flaky":
      if (nth === 0) return { status: 500 };
      if (nth === 1)
        return {
          status: 503,
          headers: { "retry-after": String(RETRY_AFTER_SECONDS) },
        };
      return { status: 200 };
  }
}

function roleOf(request: ReceivedRequest): Role {
  const role = ROLES.find((name) => request.path === `/${name}`);
  if (role === undefined)
    throw new Error(`a request for ${request.path}, where nobody listens`);
  return role;
}

function verify(
  request: ReceivedRequest,
  secret: string | undefined,
): boolean | null {
  if (secret === undefined) return null;
  try {
    new Webhook(secret).verify(request.body.toString(), request.headers);
    return true;
  } catch {
    return false;
  }
}
