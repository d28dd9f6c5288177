import { expect, test } from "@jest/globals";
import { ApiProblem } from "../api/api-problem.ts";
import type { Ask } from "../api/ask.ts";
import { createSessionStore, inWords, refusalOf } from "./session.ts";

const ask: Ask = () => Promise.reject(new Error("not asked here"));
const caller = { keyId: "k", role: "reader", tenantId: null } as const;

test("a session begins and ends, and each listener is told until it leaves", () => {
  const store = createSessionStore();
  const seen: string[] = [];
  const leave = store.subscribe(() => seen.push(store.state().kind));

  store.signIn({ ask, caller });
  store.signOut("The key was revoked.");
  leave();
  store.signIn({ ask, caller });

  expect(seen).toEqual(["signed_in", "signed_out"]);
});

test("why a session ended is kept until the next one", () => {
  const store = createSessionStore();
  store.signIn({ ask, caller });

  store.signOut("The key was revoked.");

  expect(store.state()).toEqual({
    kind: "signed_out",
    why: "The key was revoked.",
  });
});

const refused = new ApiProblem({
  status: 401,
  title: "Who are you?",
  detail: "The key was revoked.",
});

/** The session that the store has made of this one. */
function signedInWith(given: Ask) {
  const store = createSessionStore();
  store.signIn({ ask: given, caller });
  const state = store.state();
  if (state.kind !== "signed_in") throw new Error("nobody is signed in");
  return { store, ask: state.session.ask };
}

test.each(["POST", "PATCH", "DELETE", undefined] as const)(
  "a key that is refused ends the session: %s",
  async (method) => {
    const { store, ask: asked } = signedInWith(() => Promise.reject(refused));

    await expect(
      asked("v1/endpoints", { ...(method && { method }) }),
    ).rejects.toBe(refused);

    expect(store.state()).toEqual({
      kind: "signed_out",
      why: "The key was revoked.",
    });
  },
);

test("no other problem does, and none of the key before", async () => {
  let problem: Error = new ApiProblem({ status: 403, title: "", detail: "" });
  const { store, ask: asked } = signedInWith(() => Promise.reject(problem));

  await asked("v1/keys").catch(() => null);
  expect(store.state().kind).toBe("signed_in");

  store.signIn({ ask, caller });
  problem = refused;
  await asked("v1/keys").catch(() => null);
  expect(store.state().kind).toBe("signed_in");
});

test("a publisher's key has nothing to see here", () => {
  expect(refusalOf({ ...caller, role: "publisher" })).toContain("publish");
  expect(refusalOf(caller)).toBeNull();
});

test("who is signed in is said in words", () => {
  expect(inWords(caller)).toBe("Reader, all tenants");
  expect(inWords({ keyId: "k", role: "admin", tenantId: "acme" })).toBe(
    "Administrator of acme",
  );
});
