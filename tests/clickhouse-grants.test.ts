/** The statements of docs/security.md are those that the services check. */
import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import {
  grantsOf,
  grantStatement,
  tenantUserStatements,
} from "@postrider/runtime";

const page = readFileSync(
  new URL("../docs/security.md", import.meta.url),
  "utf8",
);

test("docs/security.md has every grant that ClickHouse is asked for, and no other", () => {
  const told = [
    ...page.matchAll(/^(GRANT .* TO postrider_(?!tenant)\w+);$/gm),
  ].map(([, statement]) => statement);
  const asked = (["migrate", "recorder", "control", "repair"] as const).flatMap(
    (holder) =>
      grantsOf(holder, "postrider").map((grant) =>
        grantStatement(grant, `postrider_${holder}`),
      ),
  );

  expect(told).toEqual(asked);
});

test("docs/security.md has the statements of the tenants' user as the command prints them", () => {
  const statements = tenantUserStatements({
    database: "postrider",
    user: "postrider_tenant",
  });

  expect(page).toContain(statements.map((each) => `${each};`).join("\n"));
});
