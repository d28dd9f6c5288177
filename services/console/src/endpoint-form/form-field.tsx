import {
  NativeSelect,
  PasswordInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { FIELDS, type FieldName } from "./fields.ts";
import styles from "./form.module.css";

const ORDER = ["label", "input", "description", "error"] as const;

/** One field of the form, with what is wrong with it. */
export function FormField({
  name,
  text,
  problem,
  onChange,
}: {
  readonly name: FieldName;
  readonly text: string;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const { label, hint, form, isSecret } = FIELDS[name];
  const props = {
    id: `field-${name}`,
    label,
    description: hint,
    value: text,
    error: problem,
    autoComplete: "off",
    // The hint below its field: so the fields of a row are in line.
    inputWrapperOrder: [...ORDER],
    onChange: (event: { readonly currentTarget: { readonly value: string } }) =>
      onChange(event.currentTarget.value),
  };
  if (isSecret)
    return (
      <PasswordInput
        {...props}
        autoComplete="new-password"
        visibilityToggleButtonProps={{ "aria-label": "Show the secret" }}
      />
    );
  if (form === undefined) return <TextInput {...props} />;
  if (form === "lines")
    return (
      <Textarea
        {...props}
        className={styles.lines}
        rows={name === "headers" ? 3 : 2}
      />
    );
  // What the API has may be none of ours, such as another order.
  const choices = form.includes(text) ? form : [...form, text];
  return <NativeSelect {...props} data={[...choices]} />;
}
