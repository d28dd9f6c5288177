import { expect, test } from "@jest/globals";
import { laidOut } from "./laid-out.ts";

test("brackets that span lines set in what is in them, and the rest stays", () => {
  const sql = `SELECT max(a)
FROM (
SELECT a
FROM t
WHERE b > 1
  AND c IN (
SELECT c
FROM u
WHERE (d = 1)
)
GROUP BY a
) AS x
LIMIT 1`;

  expect(laidOut(sql)).toBe(`SELECT max(a)
FROM (
  SELECT a
  FROM t
  WHERE b > 1
    AND c IN (
      SELECT c
      FROM u
      WHERE (d = 1)
    )
  GROUP BY a
) AS x
LIMIT 1`);
});
