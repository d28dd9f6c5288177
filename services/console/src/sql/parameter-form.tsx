import { Button, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import type { QueryParameter } from "../api/answers-queries.ts";
import type { FieldError } from "../api/api-problem.ts";
import { useDraft } from "../parts/use-draft.ts";
import { useSession } from "../session/session-context.ts";
import { isRunKey } from "./run-key.ts";
import styles from "./sql.module.css";

export type Values = Readonly<Record<string, string>>;

/** What a time may be. Any other is typed. */
const TIMES = ["now", "15m", "1h", "6h", "24h", "7d", "30d"];

/** A field for each parameter, by its type. Control judges what is in it. */
export function ParameterForm({
  parameters,
  values,
  problems,
  isRunning,
  onRun,
}: {
  readonly parameters: readonly QueryParameter[];
  /** Those in the URL. */
  readonly values: Values;
  readonly problems: readonly FieldError[];
  readonly isRunning: boolean;
  readonly onRun: (values: Values) => void;
}) {
  const { caller } = useSession();
  const [draft, setDraft] = useDraft(values);
  // A tenant's key asks for its own rows alone.
  const asked = parameters.filter(
    ({ name }) => name !== "tenant" || caller.tenantId === null,
  );
  const valueOf = ({ name, default: value }: QueryParameter): string =>
    draft[name] ?? value ?? "";

  function submit(event?: FormEvent): void {
    event?.preventDefault();
    const given = asked.map((each) => [each.name, valueOf(each).trim()]);
    onRun(Object.fromEntries(given.filter(([, value]) => value !== "")));
  }

  return (
    <form
      className={styles.form}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (isRunKey(event)) event.currentTarget.requestSubmit();
      }}
    >
      {asked.map((parameter) => (
        <TextInput
          key={parameter.name}
          label={parameter.name}
          description={parameter.description}
          required={parameter.default === null}
          {...kindOf(parameter.type)}
          value={valueOf(parameter)}
          onChange={({ currentTarget: { value } }) =>
            setDraft({ ...draft, [parameter.name]: value })
          }
          error={
            problems.find(({ field }) => field === parameter.name)?.message
          }
        />
      ))}
      <Button type="submit" disabled={isRunning}>
        Run
      </Button>
      <datalist id="times">
        {TIMES.map((time) => (
          <option key={time} value={time} />
        ))}
      </datalist>
    </form>
  );
}

function kindOf(type: string) {
  if (type.startsWith("DateTime")) return { list: "times" };
  if (type.startsWith("UInt")) return { type: "number", min: 0, step: 1 };
  if (type.startsWith("Float"))
    return { type: "number", min: 0, step: "any" } as const;
  return {};
}
