import { expect, test } from "@jest/globals";
import { loadPart } from "./load-part.ts";

const entry = "./assets/index-A1.js";
const missing = () =>
  Promise.reject(new TypeError("Failed to fetch dynamically imported module"));

/** Control's page as it is now. */
function serving(page: () => Promise<Response>) {
  return { entry, send: page as typeof fetch }; // only called so
}

test("a part that comes is what it is, and nothing else is asked", async () => {
  const served = serving(() => Promise.reject(new Error("not asked here")));

  expect(await loadPart(async () => "a page", served)).toBe("a page");
});

test("a part is gone where the console was upgraded, and that is no fault that passes", async () => {
  const served = serving(
    async () => new Response('<script src="./assets/index-B2.js">'),
  );

  await expect(loadPart(missing, served)).rejects.toMatchObject({
    name: "Upgraded",
    // The router would reload the page at the browser's own words, and the key in its memory would go.
    message: expect.not.stringContaining("dynamically imported module"),
  });
});

test.each<[string, () => Promise<Response>]>([
  [
    "control serves the same console",
    async () => new Response(`<script src="${entry}">`),
  ],
  ["control does not answer", () => Promise.reject(new TypeError("failed"))],
  [
    "a proxy answers for it",
    async () => new Response("Bad gateway", { status: 502 }),
  ],
])(
  "while %s, a part that does not come may be asked for again",
  async (_, page) => {
    await expect(loadPart(missing, serving(page))).rejects.toMatchObject({
      name: "ApiProblem",
      isPassing: true,
    });
  },
);
