/** What a route asks of the caller's key. */
import { CommonProblem } from "./problem-error.ts";
import type { Caller, Role } from "./caller.ts";

export interface Access {
  /** The roles that may call the route. */
  readonly roles: readonly Role[];
  /** Whether a key with a tenant may call it. The route itself then keeps to that tenant. */
  readonly isForTenants: boolean;
}

const access = (roles: readonly Role[], isForTenants = true) =>
  ({ config: { access: { roles, isForTenants } } }) as const;

/** Options of a route that publishes. */
export const PUBLISH = access(["publisher", "admin"]);
/** Options of a route that reads, and keeps to the caller's tenant. */
export const READ = access(["reader", "admin"]);
/** Options of a route that reads of every tenant at once. */
export const READ_ALL = access(["reader", "admin"], false);
/** Options of a route that says what any key may know. */
export const ANY_KEY = access(["admin", "reader", "publisher"]);
/** Options of a route for administrators, which keeps to the caller's tenant. */
export const ADMINISTER = access(["admin"]);

/** Options of a route for administrators that is about every tenant at once. */
export const ADMINISTER_ALL = access(["admin"], false);

/** Needs no key. For routes that hold nothing secret and know no tenant: their requests have no `caller`. */
export const EVERYONE = "everyone";
/** Options of a route that needs no key. */
export const OPEN = { config: { access: EVERYONE } } as const;

/** Of a route that says nothing. */
const ADMIN_OF_ALL: Access = { roles: ["admin"], isForTenants: false };

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call the route. Default: admins without a tenant. */
    access?: Access | typeof EVERYONE;
  }
}

export function accessOf(config: {
  readonly access?: Access | typeof EVERYONE;
}): Access | typeof EVERYONE {
  return config.access ?? ADMIN_OF_ALL;
}

/** Throws the problem `forbidden` if the caller may not call a route. It is thrown before the route looks anything up, so it tells nothing about what there is. */
export function requireAccess(caller: Caller, asked: Access): void {
  const { roles, isForTenants } = asked;
  if (!roles.includes(caller.role))
    throw forbidden(
      "role",
      `with the role ${roles.join(" or ")}`,
      `this key's role is ${caller.role}`,
    );
  if (caller.tenantId !== null && !isForTenants)
    throw forbidden(
      "no_tenant",
      "without a tenant, because this route is about all of them",
      `this key's tenant is ${caller.tenantId}`,
    );
}

function forbidden(rule: string, needed: string, has: string): CommonProblem {
  return new CommonProblem("forbidden", `This needs a key ${needed}; ${has}.`, {
    errors: [
      { field: "authorization", rule, message: `must carry a key ${needed}` },
    ],
  });
}
