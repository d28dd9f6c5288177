import { expect, test } from "@jest/globals";
import { draftAfter } from "./draft-after.ts";

interface Search {
  readonly text?: string;
  readonly status?: string;
  readonly tenantId?: string;
}

test.each<
  [what: string, draft: Search, before: Search, now: Search, after: Search]
>([
  [
    "a choice leaves what is typed and was not asked for yet",
    { text: "reset", tenantId: "acme" },
    { tenantId: "acme" },
    { tenantId: "acme", status: "failed" },
    { text: "reset", tenantId: "acme", status: "failed" },
  ],
  [
    "what the URL says anew takes the place of what is typed",
    { text: "reset" },
    { text: "timeout" },
    { text: "dns" },
    { text: "dns" },
  ],
  [
    "what the URL has lost is lost, whatever is typed there",
    { text: "timeouts", tenantId: "ac" },
    { text: "timeout" },
    {},
    { tenantId: "ac" },
  ],
])("%s", (_, draft, before, now, after) => {
  expect(draftAfter(draft, { before, now })).toEqual(after);
});
