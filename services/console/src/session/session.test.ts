import { expect, test } from "@jest/globals";
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
