import { Button, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { FIELDS, FIRST, MORE, type FieldName } from "./fields.ts";
import { FormField } from "./form-field.tsx";
import styles from "./form.module.css";
import type { FieldProblems, Texts } from "./texts.ts";

/** The settings of an endpoint: what people set first, and the rest behind "More settings". */
export function EndpointForm({
  texts,
  problems,
  isNew,
  hasTenant,
  submit,
  isSaving,
  onChange,
  onSubmit,
  onCancel,
  children,
}: {
  readonly texts: Texts;
  readonly problems: FieldProblems;
  readonly isNew: boolean;
  /** The caller's key has one, so there is nothing to choose. */
  readonly hasTenant: boolean;
  /** What the button says. */
  readonly submit: string;
  readonly isSaving: boolean;
  readonly onChange: (texts: Texts) => void;
  readonly onSubmit: (why: string) => void;
  readonly onCancel: () => void;
  /** What there is to say of the last try. */
  readonly children?: ReactNode;
}) {
  const [why, setWhy] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const isShown = (name: FieldName): boolean =>
    (isNew || FIELDS[name].isForCreation !== true) &&
    !(name === "tenantId" && hasTenant);
  const field = (name: FieldName): ReactNode => (
    <FormField
      key={name}
      name={name}
      text={texts[name]}
      problem={problems[name]}
      onChange={(text) => onChange({ ...texts, [name]: text })}
    />
  );
  const first = namesOf(FIRST).filter(isShown);
  const more = namesOf(MORE).filter(isShown);
  // To the first field that is wrong, where there are new problems.
  useEffect(() => {
    const wrong = form.current?.querySelector<HTMLElement>(
      "[aria-invalid='true']",
    );
    wrong?.closest("details")?.setAttribute("open", "");
    wrong?.focus();
  }, [problems]);

  return (
    <form
      ref={form}
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSaving) onSubmit(why);
      }}
    >
      {children}
      {first.map(field)}
      <details className={styles.more}>
        <summary>More settings</summary>
        <div className={styles.fields}>{more.map(field)}</div>
      </details>
      <TextInput
        label="Why (kept in the audit trail)"
        maxLength={500}
        value={why}
        onChange={(event) => setWhy(event.currentTarget.value)}
      />
      <div className={styles.buttons}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={isSaving}>
          {submit}
        </Button>
      </div>
    </form>
  );
}

function namesOf(fields: object): readonly FieldName[] {
  return Object.keys(fields) as readonly FieldName[]; // FIRST and MORE are made of these
}
