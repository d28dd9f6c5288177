import { getRouteApi, Link } from "@tanstack/react-router";
import { Fragment, type Ref } from "react";
import type { EventTypeEntry } from "../api/answers-system.ts";
import { Body } from "../parts/body.tsx";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import type { SystemSearch } from "./system-search.ts";
import styles from "./system.module.css";

const route = getRouteApi("/system");

/** A row opens its schema and its example below it, and closes them. */
export function EventTypeTable({
  types,
  open,
  ref,
}: {
  readonly types: readonly EventTypeEntry[];
  /** The row that is open. */
  readonly open: string | undefined;
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = route.useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          <th scope="col">Type</th>
          <th scope="col">Of</th>
          <th scope="col">Schema</th>
          <th scope="col" className={list.wide}>
            Changed
          </th>
        </tr>
      </thead>
      <tbody>
        {types.map((type) => {
          const key = `${type.tenantId ?? ""}:${type.name}`;
          const isOpen = key === open;
          const toggled = (now: SystemSearch): SystemSearch => {
            const { open: _, ...rest } = now;
            return isOpen ? rest : { ...rest, open: key };
          };
          return (
            <Fragment key={key}>
              <tr
                onClick={openRow(
                  () =>
                    void navigate({
                      search: toggled,
                      replace: true,
                      resetScroll: false,
                    }),
                )}
              >
                <td className={styles.what}>
                  <Link
                    data-row
                    to="/system"
                    search={toggled}
                    replace
                    resetScroll={false}
                    aria-expanded={isOpen}
                  >
                    <Text>{type.name}</Text>
                  </Link>
                  <small>
                    <Text>{type.description}</Text>
                  </small>
                </td>
                <td>
                  {type.tenantId === null ? (
                    "every tenant"
                  ) : (
                    <Text>{type.tenantId}</Text>
                  )}
                </td>
                <td>{type.schema === null ? "none" : "yes"}</td>
                <td className={list.wide}>
                  <Time at={type.updatedAt} />{" "}
                  <small>version {type.version}</small>
                </td>
              </tr>
              {isOpen && (
                <tr className={styles.details}>
                  <td colSpan={4}>
                    <Details of={type} />
                  </td>
                </tr>
              )}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

function Details({ of }: { readonly of: EventTypeEntry }) {
  return (
    <div className={styles.inside}>
      {(["schema", "example"] as const).map((name) => {
        const text = of[name];
        return text === null ? (
          <p key={name}>It has no {name}.</p>
        ) : (
          <div key={name}>
            <h3>{name === "schema" ? "Schema" : "Example"}</h3>
            <Body text={text} label={`${name} of ${of.name}`} />
          </div>
        );
      })}
    </div>
  );
}
