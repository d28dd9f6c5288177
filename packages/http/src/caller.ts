/** What a key may do: `admin` everything, `publisher` publish, `reader` read. */
export type Role = "admin" | "publisher" | "reader";

/** Who sends a request, as its key says. */
export interface Caller {
  /** Id of the key; `admin` for the key of `POSTRIDER_ADMIN_KEY`. */
  readonly keyId: string;
  readonly role: Role;
  /** The one tenant whose objects the caller may see and change; null: every tenant. */
  readonly tenantId: string | null;
}

/** The caller that has the key of `POSTRIDER_ADMIN_KEY`. */
export const ADMIN_CALLER: Caller = Object.freeze({
  keyId: "admin",
  role: "admin",
  tenantId: null,
});

declare module "fastify" {
  interface FastifyRequest {
    /** Set before any route runs, but for routes that need no key: there it is null, whatever the type says. */
    caller: Caller;
  }
}
