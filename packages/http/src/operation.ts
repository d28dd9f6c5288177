/** What a route takes and answers, by the schemas that it really uses: the API's document (openapi/) is made of it. */
import type { z } from "zod";
import type { Access, EVERYONE } from "./access.ts";
import type { ProblemKinds } from "./problem-error.ts";

/** An answer that is a success. */
export interface Answer {
  /** One line, without a full stop. */
  readonly description: string;
  /** Of a JSON body. Left out: the answer has no body, or one of another `mediaType`. */
  readonly body?: z.ZodType;
  /** Default: `application/json`. */
  readonly mediaType?: string;
  /** Headers of this answer, each with what it is. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly example?: unknown;
}

export interface Operation {
  /** Unique within the API, in camelCase: generated clients name their methods so. */
  readonly id: string;
  /** What the operation is about, to group by. */
  readonly tag: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What else a caller has to know, in Markdown. */
  readonly description?: string;
  /** Parts of the path. Left out: each is any text. */
  readonly params?: z.ZodObject;
  /** Parameters of the query string. */
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: {
    readonly schema: z.ZodType;
    /** Default: false. */
    readonly isOptional?: boolean;
    readonly example?: unknown;
  };
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The problems that it answers with, but for those that any route may answer with. */
  readonly problems?: ProblemKinds;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Left out: the route is not in the API's document. */
    operation?: Operation;
  }
}

/** Options of a route, with what it takes and answers. */
export function described(
  { config }: RouteAccess,
  operation: Operation,
): { readonly config: RouteAccess["config"] & { operation: Operation } } {
  return { config: { ...config, operation } };
}

/** One of the constants of access.ts. */
export interface RouteAccess {
  readonly config: { readonly access: Access | typeof EVERYONE };
}
