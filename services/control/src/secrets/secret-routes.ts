import { invalid, type Routes } from "@postrider/http";
import { causeOf } from "../audit/cause.ts";
import { problemsOf } from "../http/zod-problems.ts";
import type { SecretKeys } from "./reencryption.ts";
import { reencryptionRound, SECRET_OPERATIONS } from "./secret-operations.ts";

/** `/v1/secrets`, for operators: encryption keys are those of all tenants. */
export function secretRoutes(secretKeys: SecretKeys): Routes {
  return (app) => {
    app.get("/v1/secrets", SECRET_OPERATIONS.get, async () => {
      const { keys, plainHeaders } = secretKeys.use();
      const sum = (isInRing: boolean): number =>
        keys
          .slice(1)
          .filter((key) => key.isInRing === isInRing)
          .reduce(
            (total, { secrets, headers }) => total + secrets + headers,
            0,
          );
      return {
        newest: keys[0]?.kid ?? "",
        remaining: sum(true),
        missing: sum(false),
        plainHeaders,
        keys,
      };
    });
    app.post(
      "/v1/secrets/reencrypt",
      SECRET_OPERATIONS.reencrypt,
      async (request) => {
        const parsed = reencryptionRound.safeParse(request.body ?? {});
        if (!parsed.success) throw invalid(problemsOf(parsed.error));
        return await secretKeys.reencrypt(parsed.data, causeOf(request));
      },
    );
  };
}
