import { useMutation } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ApiProblem } from "../api/api-problem.ts";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import {
  endpointPath,
  useChanged,
  useEndpointSettings,
} from "../endpoint/use-endpoint-settings.ts";
import { Failure, Loading, Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { EndpointForm } from "./endpoint-form.tsx";
import { FIELDS, type FieldName } from "./fields.ts";
import styles from "./form.module.css";
import { InView } from "./in-view.tsx";
import { fieldProblemsOf, Refusal } from "./refusal.tsx";
import { changeOf, rebased, textsOf, type FieldProblems } from "./texts.ts";

const route = getRouteApi("/endpoints/$id/edit");

/** Changes an endpoint. */
export function EditEndpointPage() {
  const { id } = route.useParams();
  usePageTitle(`Edit endpoint ${id}`);
  const { caller } = useSession();
  const { data, error, refetch } = useEndpointSettings(id);
  if (caller.role !== "admin")
    return (
      <Nothing title="Only an administrator changes endpoints">
        <p>Sign in with the key of one.</p>
      </Nothing>
    );
  return (
    <div className={styles.page}>
      <p className={styles.back}>
        <Link to="/endpoints/$id" params={{ id }}>
          Back to the endpoint
        </Link>
      </p>
      <h1>Edit endpoint</h1>
      {data === undefined && error !== null && (
        <Failure error={error} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading what="the endpoint" />}
      {data !== undefined && <Edit key={data.id} endpoint={data} />}
    </div>
  );
}

/** What the last try came to, where it was not saved. */
type Outcome =
  | { readonly kind: "unchanged" }
  | { readonly kind: "stale"; readonly clashes: readonly FieldName[] };

/** Begins with the endpoint as it was when this was opened; a later version of it is taken over only where a change was refused for it. */
function Edit({ endpoint }: { readonly endpoint: EndpointSettings }) {
  const { ask } = useSession();
  const changed = useChanged();
  const navigate = useNavigate();
  const [base, setBase] = useState(endpoint);
  const [texts, setTexts] = useState(() => textsOf(endpoint));
  const [problems, setProblems] = useState<FieldProblems>({});
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const { id } = endpoint;
  const path = `v1/${endpointPath(id)}`;
  const leave = (): void =>
    void navigate({ to: "/endpoints/$id", params: { id } });

  /** Null: somebody else has changed it, and what they did is shown now. */
  async function save(
    body: unknown,
    why: string,
  ): Promise<EndpointSettings | null> {
    try {
      return await ask<EndpointSettings>(path, {
        method: "PATCH",
        body,
        ifMatch: base.version,
        why,
      });
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 412) throw error;
      const now = await ask<EndpointSettings>(path);
      const versions = { base: textsOf(base), now: textsOf(now) };
      const { clashes } = rebased({ typed: texts, ...versions });
      setBase(now);
      // What was typed while it was being saved stays, too.
      setTexts((typed) => rebased({ typed, ...versions }).texts);
      setOutcome({ kind: "stale", clashes });
      return null;
    }
  }
  const change = useMutation({
    mutationFn: ({
      body,
      why,
    }: {
      readonly body: unknown;
      readonly why: string;
    }) => save(body, why),
    onSuccess: (saved) => {
      if (saved === null) return;
      changed(saved);
      leave();
    },
    onError: (error) => setProblems(fieldProblemsOf(error)),
    // What is sent may hold the values of secret headers.
    gcTime: 0,
  });

  function submit(why: string): void {
    const { body, problems: unread } = changeOf(texts, textsOf(base));
    setProblems(unread);
    setOutcome(null);
    if (Object.keys(unread).length > 0) return;
    if (Object.keys(body).length === 0) setOutcome({ kind: "unchanged" });
    else change.mutate({ body, why });
  }

  return (
    <EndpointForm
      texts={texts}
      problems={problems}
      isNew={false}
      hasTenant
      submit="Save"
      isSaving={change.isPending}
      onChange={setTexts}
      onSubmit={submit}
      onCancel={leave}
    >
      <Refusal error={change.error} />
      {outcome?.kind === "unchanged" && (
        <p className={styles.notice} role="status">
          Nothing is changed yet.
        </p>
      )}
      {outcome?.kind === "stale" && (
        <InView of={base.version}>
          <Stale endpoint={base} clashes={outcome.clashes} />
        </InView>
      )}
    </EndpointForm>
  );
}

function Stale({
  endpoint,
  clashes,
}: {
  readonly endpoint: EndpointSettings;
  readonly clashes: readonly FieldName[];
}) {
  return (
    <div className={styles.notice} role="alert">
      <h2>Somebody else has changed it meanwhile</h2>
      <p>
        Nothing of yours was saved. What you typed is still here; everything
        else is as it is now, version {endpoint.version}. Look at it, then save
        again.
      </p>
      {clashes.length > 0 && (
        <ul>
          {clashes.map((name) => (
            <li key={name}>
              {FIELDS[name].label} is now:{" "}
              <Text>{FIELDS[name].shown(endpoint) || "empty"}</Text>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
