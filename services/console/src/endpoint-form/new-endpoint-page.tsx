import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { EndpointWithSecret } from "../api/answers-endpoints.ts";
import { SecretDialog } from "../endpoint/secret-dialog.tsx";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
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
  const [made, setMade] = useState<EndpointWithSecret | null>(null);
  const creation = useMutation({
    mutationFn: ({
      body,
      why,
    }: {
      readonly body: unknown;
      readonly why: string;
    }) => ask<EndpointWithSecret>("v1/endpoints", { body, why }),
    onSuccess: (endpoint) => {
      void client.invalidateQueries({ queryKey: ["endpoints"] });
      setMade(endpoint);
    },
    onError: (error) => setProblems(fieldProblemsOf(error)),
    // Its answer holds the secret, and what is sent may.
    gcTime: 0,
  });

  function submit(why: string): void {
    const { body, problems: unread } = creationOf(texts);
    setProblems(unread);
    if (Object.keys(unread).length === 0) creation.mutate({ body, why });
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
        isSaving={creation.isPending || made !== null}
        onChange={setTexts}
        onSubmit={submit}
        onCancel={() => void navigate({ to: "/endpoints" })}
      >
        <Refusal error={creation.error} />
      </EndpointForm>
      {made !== null && (
        <SecretDialog
          secret={made.secret}
          onClose={() => {
            const { id } = made;
            setMade(null);
            creation.reset();
            void navigate({ to: "/endpoints/$id", params: { id } });
          }}
        />
      )}
    </div>
  );
}
