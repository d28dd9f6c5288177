import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { namedDelivery } from "../deliveries/delivery-filters.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Text } from "../parts/text.tsx";
import { isNumber } from "./column-types.ts";
import { valueText } from "../api/json-texts.ts";
import type { Result } from "./query-answer.ts";
import styles from "./result.module.css";
import { RowDialog } from "./row-dialog.tsx";

/** A table of 10,000 rows takes a browser seconds. */
const ROWS_AT_A_TIME = 200;
const MAX_CELL_CHARACTERS = 120;
/** Times and ids stay on one line. */
const SHORT = 48;

/** The rows, a part of them at first. Each row opens with all that is in it. */
export function ResultTable({
  result,
  isStale = false,
}: {
  readonly result: Result;
  readonly isStale?: boolean;
}) {
  const { columns, rows } = result;
  const [shownRows, setShownRows] = useState(ROWS_AT_A_TIME);
  const [opened, setOpened] = useState<number | null>(null);
  const numbers = columns.map(({ type }) => isNumber(type));
  return (
    <>
      {/* It scrolls, so the keyboard must reach it. */}
      <div
        className={styles.scroll}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above
        tabIndex={0}
        role="region"
        aria-label="Rows"
        data-result
      >
        <table
          className={`${list.table} ${styles.table} ${isStale ? list.stale : ""}`}
        >
          <thead>
            <tr>
              <th scope="col" className={list.number}>
                #
              </th>
              {columns.map(({ name, type }, at) => (
                <th
                  key={at}
                  scope="col"
                  className={numbers[at] ? list.number : undefined}
                >
                  <Text>{name}</Text>
                  <small className={styles.type}>
                    <Text>{type}</Text>
                  </small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shownRows).map((row, at) => (
              <tr key={at} onClick={openRow(() => setOpened(at))}>
                <td className={list.number}>
                  <button
                    type="button"
                    className={styles.row}
                    data-row
                    aria-label={`Open row ${at + 1}`}
                    onClick={() => setOpened(at)}
                  >
                    {at + 1}
                  </button>
                </td>
                {row.map((json, of) => (
                  <Cell key={of} json={json} isNumber={numbers[of] === true} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > shownRows && (
        <div className={styles.more}>
          <p>
            The first {shownRows.toLocaleString("en")} of{" "}
            {rows.length.toLocaleString("en")} rows. The files have all of them.
          </p>
          <Button
            variant="default"
            size="xs"
            onClick={() => setShownRows(shownRows + ROWS_AT_A_TIME)}
          >
            Show {ROWS_AT_A_TIME} more
          </Button>
        </div>
      )}
      {opened !== null && (
        <RowDialog
          result={result}
          at={opened}
          onClose={() => setOpened(null)}
        />
      )}
    </>
  );
}

function Cell({
  json,
  isNumber: isRight,
}: {
  readonly json: string;
  readonly isNumber: boolean;
}) {
  const text = valueText(json);
  if (text === null)
    return (
      <td className={isRight ? list.number : undefined}>
        <span className={styles.null}>NULL</span>
      </td>
    );
  const shown =
    text.length > MAX_CELL_CHARACTERS
      ? `${text.slice(0, MAX_CELL_CHARACTERS)}…`
      : text;
  const delivery = namedDelivery(shown);
  return (
    <td
      className={`${isRight ? list.number : ""} ${shown.length > SHORT ? styles.long : styles.short}`}
    >
      {delivery === null ? (
        <Text>{shown}</Text>
      ) : (
        <Link to="/deliveries/$id" params={{ id: delivery }}>
          <Text>{shown}</Text>
        </Link>
      )}
    </td>
  );
}
