import type { Problem } from "@postrider/core";

/** What a caller whose key has a tenant is told where it names another one, or none: an empty answer would look as if there were nothing. */
export function otherTenant(field: string): Problem {
  return {
    field,
    rule: "own",
    message: "must be the tenant of your key, or be left out",
  };
}
