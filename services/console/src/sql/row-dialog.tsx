import { Button } from "@mantine/core";
import { Dialog } from "../parts/dialog.tsx";
import { Text, TextBlock } from "../parts/text.tsx";
import { prettyJson } from "../shown/pretty-json.ts";
import { valueText } from "../api/json-texts.ts";
import type { Result } from "./query-answer.ts";
import styles from "./result.module.css";

/** All of one row: a table cuts long texts. */
export function RowDialog({
  result: { columns, rows },
  at,
  onClose,
}: {
  readonly result: Result;
  readonly at: number;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title={`Row ${at + 1}`} onClose={onClose}>
      <dl className={styles.fields}>
        {rows[at]?.map((json, of) => (
          <div key={of}>
            <dt>
              <Text>{columns[of]?.name ?? ""}</Text>
            </dt>
            <dd>
              <Value json={json} label={columns[of]?.name ?? ""} />
            </dd>
          </div>
        ))}
      </dl>
      <Button variant="default" onClick={onClose}>
        Close
      </Button>
    </Dialog>
  );
}

function Value({
  json,
  label,
}: {
  readonly json: string;
  readonly label: string;
}) {
  const text = valueText(json);
  if (text === null) return <span className={styles.null}>NULL</span>;
  const isLong = text.length > 60 || text.includes("\n");
  return isLong ? (
    <TextBlock text={prettyJson(text) ?? text} label={label} />
  ) : (
    <Text>{text}</Text>
  );
}
