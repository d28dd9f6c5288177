/** What the document says of the problems that a route may answer with. */
import { EVERYONE } from "../access.ts";
import {
  COMMON_KINDS,
  PROBLEM_MEDIA_TYPE,
  type ProblemKinds,
  problemType,
} from "../problem-error.ts";
import { REQUEST_ID } from "./answers.ts";
import {
  type OpenApiParameter,
  type Reference,
  RESPONSES,
} from "./document.ts";
import type { Described, Made } from "./made.ts";

/** What a route may answer with beside success: its own kinds, and those that the server itself adds. */
export function kindsOf(
  { access, method, operation }: Described,
  parameters: readonly OpenApiParameter[],
): ProblemKinds {
  const own = operation.problems ?? {};
  const { bad_request, internal, stopping } = COMMON_KINDS;
  const always = { bad_request, internal, stopping };
  if (access === EVERYONE) return { ...always, ...own };
  const { unauthenticated, forbidden, limited, keys_behind } = COMMON_KINDS;
  const { invalid, not_found, too_large, unsupported_media_type } =
    COMMON_KINDS;
  const isWrite = method !== "GET";
  return {
    ...always,
    ...(isWrite || parameters.length > 0 ? { invalid } : {}),
    unauthenticated,
    forbidden,
    ...(parameters.some((each) => each.in === "path") ? { not_found } : {}),
    ...(isWrite ? { too_large, unsupported_media_type } : {}),
    limited,
    keys_behind,
    ...own,
  };
}

/** One response for each status, which says the kinds that it has. */
export function problemsOf(
  kinds: ProblemKinds,
  { problem, responses }: Made,
): Record<string, Reference> {
  const byStatus = Map.groupBy(
    Object.entries(kinds).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ([, [status]]) => status,
  );
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => {
      const name = [status, ...of.map(([code]) => code)].join(".");
      const types = of.map(([code]) => problemType(code));
      responses[name] ??= {
        description: of.map(([, [, title]]) => title).join("; "),
        headers: {
          ...REQUEST_ID,
          ...(status === 429 || status === 503 ? RETRY_AFTER : {}),
        },
        content: {
          [PROBLEM_MEDIA_TYPE]: {
            schema: {
              allOf: [problem, { properties: { type: { enum: types } } }],
            },
          },
        },
      };
      return [status, { $ref: `${RESPONSES}${name}` }];
    }),
  );
}

const RETRY_AFTER = {
  "retry-after": {
    description: "Seconds, where it is known when to ask again",
    schema: { type: "integer" },
  },
};
