/** Refuses to read a topic without the rights for it: Kafka's client would ask again for ever, and print nothing. */
import { missingRights, type Admin, type Right } from "@postrider/messaging";
import { withoutRights } from "./without-rights.ts";

/** Throws `CliError` with the commands that grant what is missing. Where Kafka cannot tell, it does nothing. */
export async function requireTailRights(
  admin: Admin,
  {
    brokers,
    prefix,
    name,
  }: {
    readonly brokers: readonly string[];
    readonly prefix: string;
    readonly name: string;
  },
): Promise<void> {
  const missing = await missingRights(admin, tailRights(prefix, name)).catch(
    () => [],
  );
  if (missing.length === 0) return;
  throw withoutRights(`${prefix}${name} may not be read.`, {
    brokers,
    rights: missing,
  });
}

function tailRights(prefix: string, name: string): readonly Right[] {
  const read = { operations: ["Read"] } as const;
  return [
    { ...read, resource: "topic", name: `${prefix}${name}`, isPrefix: false },
    { ...read, resource: "topic", name: `${prefix}schemas`, isPrefix: false },
    { ...read, resource: "group", name: `${prefix}tail.`, isPrefix: true },
    {
      ...read,
      resource: "group",
      name: `${prefix}schemas.table.`,
      isPrefix: true,
    },
  ];
}
