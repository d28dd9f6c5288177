import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { ApiProblem, noAnswer } from "../api/api-problem.ts";
import type { Caller } from "../api/answers.ts";
import { askWith } from "../api/ask.ts";
import { usePageTitle } from "../parts/page-title.ts";
import { refusalOf, type SessionStore } from "./session.ts";
import styles from "./sign-in.module.css";

/** Asks for a key, and lets in whoever has a valid one. */
export function SignIn({
  store,
  why,
}: {
  readonly store: SessionStore;
  /** Why the session before has ended. */
  readonly why: string | null;
}) {
  usePageTitle("Sign in");
  const [key, setKey] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isAsking, setIsAsking] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setIsAsking(true);
    const refused = await signInWith(key.trim(), store);
    setIsAsking(false);
    setRefusal(refused);
  }

  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={(event) => void submit(event)}>
        <h1>Postrider</h1>
        <p>
          Sign in with an API key. It stays in this tab&apos;s memory and is
          gone when you close or reload it.
        </p>
        <PasswordInput
          label="API key"
          name="key"
          autoComplete="current-password"
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- it is all that there is to do here
          autoFocus
          required
          withAsterisk={false}
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          error={refusal ?? why}
          visibilityToggleButtonProps={{ "aria-label": "Show the key" }}
        />
        <Button type="submit" loading={isAsking} fullWidth>
          Sign in
        </Button>
        <p className={styles.hint}>
          <code>postrider dev</code> keeps its key in{" "}
          <code>.postrider/dev.json</code>. Another one:{" "}
          <code>npx postrider keys create --help</code>
        </p>
      </form>
    </main>
  );
}

/** Null: signed in. Otherwise why not. */
async function signInWith(
  key: string,
  store: SessionStore,
): Promise<string | null> {
  // What no header can hold is no key; `fetch` would throw an error that no reader understands.
  if (!/^[\u0021-\u007e]+$/.test(key))
    return "This is no key: a key has no spaces and plain letters only.";
  const ask = askWith(key);
  try {
    const caller = await ask<Caller>("v1/caller");
    const refusal = refusalOf(caller);
    if (refusal === null) store.signIn({ ask, caller });
    return refusal;
  } catch (error) {
    const problem = error instanceof ApiProblem ? error : noAnswer(error);
    if (problem.status !== 401)
      return [problem.title, problem.message, problem.nextStep]
        .filter((text) => text !== null)
        .map((text) => text.replace(/\.?$/, "."))
        .join(" ");
    return refusedKey(problem.message);
  }
}

/** Control's own words name a header; they are told where they say more: that the key has expired or was revoked. */
function refusedKey(detail: string): string {
  return detail.startsWith("The key ")
    ? detail.replace(/ Send another one.*$/, "")
    : "This key is not valid. Look whether all of it was copied.";
}
