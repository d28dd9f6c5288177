import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { NEXT_BY_HAND } from "./next-by-hand.ts";

test("the demo in the README ends as the demo does", () => {
  const page = new URL("../../../../README.md", import.meta.url);

  expect(readFileSync(page, "utf8")).toContain(
    ` s. Everything that was started has been stopped.\n\n${NEXT_BY_HAND.join("\n")}\n\`\`\`\n`,
  );
});
