import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { EndpointWithSecret } from "../api/answers-endpoints.ts";
import { secretOf } from "../endpoint/secret-of.tsx";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { useMaking } from "../parts/shown-once.tsx";
import { useSession } from "../session/session-context.ts";
import { EndpointForm } from "./endpoint-form.tsx";
import styles from "./form.module.css";
import { fieldProblemsOf, Refusal } from "./refusal.tsx";
import { creationOf, NEW_TEXTS, type FieldProblems } from "./texts.ts";

/** Makes an endpoint, and shows its secret, once. */
export function NewEndpointPage() {
  usePageTitle("New endpoint");
  const { ask, caller } = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [texts, setTexts] = useState(NEW_TEXTS);
  const [problems, setProblems] = useState<FieldProblems>({});
  const making = useMaking("secret");
  const creation = useMutation({
    mutationFn: ({
      body,
      why,
    }: {
      readonly body: unknown;
      readonly why: string;
    }) =>
      making(ask<EndpointWithSecret>("v1/endpoints", { body, why }), secretOf),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["endpoints"] }),
    onError: (error) => setProblems(fieldProblemsOf(error)),
    // Its answer holds the secret, and what is sent may.
    gcTime: 0,
  });

  function submit(why: string): void {
    const { body, problems: unread } = creationOf(texts);
    setProblems(unread);
    if (Object.keys(unread).length > 0) return;
    // Only for whoever is still here: another page stays as it is, below the secret.
    const onSuccess = ({ id }: EndpointWithSecret): void =>
      void navigate({ to: "/endpoints/$id", params: { id } });
    creation.mutate({ body, why }, { onSuccess });
  }

  if (caller.role !== "admin")
    return (
      <Nothing title="Only an administrator makes endpoints">
        <p>Sign in with the key of one.</p>
      </Nothing>
    );
  return (
    <div className={styles.page}>
      <p className={styles.back}>
        <Link to="/endpoints">All endpoints</Link>
      </p>
      <h1>New endpoint</h1>
      <EndpointForm
        texts={texts}
        problems={problems}
        isNew
        hasTenant={caller.tenantId !== null}
        submit="Create"
        isSaving={creation.isPending || creation.isSuccess}
        onChange={setTexts}
        onSubmit={submit}
        onCancel={() => void navigate({ to: "/endpoints" })}
      >
        <Refusal error={creation.error} />
      </EndpointForm>
    </div>
  );
}
