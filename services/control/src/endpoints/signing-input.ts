import {
  secretProblem,
  secretTypeOf,
  SIGNING_PROFILES,
  type Problem,
} from "@postrider/core";
import { publicKeyOf, SecretError } from "@postrider/signing";
import { z } from "zod";
import { signingProblems } from "./signing-rules.ts";

/** How long the old secret signs beside a new one, if a rotation does not say. */
export const DEFAULT_OVERLAP_MS = 86_400_000;
const MAX_OVERLAP_MS = 30 * 86_400_000;

/** The headers that sign. */
export const signing = z
  .array(z.enum(SIGNING_PROFILES))
  .min(1)
  .refine((profiles) => new Set(profiles).size === profiles.length, {
    params: { rule: "unique" },
    message: "must not name a profile twice",
  });

const secret = z.string().superRefine((text, context) => {
  const problem = secretProblem("secret", text) ?? pairProblem(text);
  if (problem !== undefined) addProblem(context, problem, []);
});

/** A secret of the caller's own, or the type of one that is to be made. */
export const newSecret = {
  secret: secret.optional().meta({
    description: "Your own: `whsec_…`, `whsk_…` or another text; else made",
  }),
  secretType: z
    .enum(["hmac", "ed25519"])
    .optional()
    .meta({ description: "What is made; not beside `secret`" }),
};

/** A rotation of an endpoint's secret. */
export const rotation = z
  .strictObject({
    ...newSecret,
    overlapMs: z
      .int()
      .min(0)
      .max(MAX_OVERLAP_MS)
      .default(DEFAULT_OVERLAP_MS)
      .meta({ description: "How long the older secrets sign, too" }),
  })
  .superRefine(refuseTwoSecrets);

interface NewSecret {
  readonly secret?: string | undefined;
  readonly secretType?: "hmac" | "ed25519" | undefined;
}

export function refuseTwoSecrets(
  given: NewSecret,
  context: z.RefinementCtx,
): void {
  if (given.secret === undefined || given.secretType === undefined) return;
  const message = "says what to make; a secret was given";
  addProblem(context, { rule: "no_secret", message }, ["secretType"]);
}

/** For a creation: the secret, or the one that will be made, must fit the signing profiles. */
export function refuseUnfitSigning(
  creation: NewSecret & {
    readonly signing: readonly string[];
    readonly headers: Readonly<Record<string, string>>;
  },
  context: z.RefinementCtx,
): void {
  const type = creation.secretType ?? secretTypeOf(creation.secret ?? "");
  const newestIsEd25519 = type === "ed25519";
  for (const problem of signingProblems({ ...creation, newestIsEd25519 })) {
    const [field = "", ...name] = problem.field.split(".");
    const path = name.length === 0 ? [field] : [field, name.join(".")];
    addProblem(context, problem, path);
  }
}

/** The two halves of a `whsk_` may not belong together, which core cannot see. */
function pairProblem(secret_: string): Problem | undefined {
  try {
    publicKeyOf(secret_);
    return undefined;
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return { field: "secret", rule: "key_pair", message: error.message };
  }
}

function addProblem(
  context: z.RefinementCtx,
  { rule, message }: Pick<Problem, "rule" | "message">,
  path: string[],
): void {
  context.addIssue({ code: "custom", path, params: { rule }, message });
}
