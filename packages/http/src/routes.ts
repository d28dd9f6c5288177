import type { FastifyInstance } from "fastify";
import type { Access, EVERYONE } from "./access.ts";
import type { Operation } from "./operation.ts";

/** A piece of an API: adds its routes, hooks and parsers. */
export type Routes = (app: FastifyInstance) => void;

/** A route as it was registered. */
export interface ApiRoute {
  readonly method: string;
  /** The pattern. */
  readonly url: string;
  readonly access: Access | typeof EVERYONE;
  /** What it takes and answers; null where it does not say. */
  readonly operation: Operation | null;
}
