/** Tells whoever may not create or change topics what an administrator of Postrider's topics needs. */
import type { Right } from "@postrider/messaging";
import { withoutRights } from "./without-rights.ts";

/** Runs `use`. Throws `CliError` with the commands that grant what is missing if Kafka refuses it for want of a right. */
export async function asAdministrator<T>(
  kafka: { readonly brokers: readonly string[]; readonly prefix: string },
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (!isUnauthorized(cause)) throw cause;
    throw withoutRights(
      `The topics ${kafka.prefix}* may not be looked at, created or changed.`,
      {
        brokers: kafka.brokers,
        rights: [administratorsRight(kafka.prefix)],
        scope: " all that an administrator of these topics needs",
        cause,
      },
    );
  }
}

function administratorsRight(prefix: string): Right {
  return {
    resource: "topic",
    name: prefix,
    isPrefix: true,
    operations: [
      "Create",
      "Describe",
      "DescribeConfigs",
      "Alter",
      "AlterConfigs",
    ],
  };
}

/** Kafka's name of the error, of one topic or of each of several. */
function isUnauthorized(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { type, errors } = error as { type?: unknown; errors?: unknown };
  if (Array.isArray(errors)) return errors.some(isUnauthorized);
  return typeof type === "string" && type.endsWith("_AUTHORIZATION_FAILED");
}
