import { Text } from "../parts/text.tsx";
import { counted } from "../shown/amounts.ts";
import type { Resealed } from "./reencrypt.ts";
import styles from "./system.module.css";

const WHY: Readonly<Record<string, string>> = {
  key_missing: "control does not have its key",
  not_authentic: "it does not open with its key: it was changed",
};

/** What sealing anew has done, and what it could not open. */
export function Reencrypted({ done }: { readonly done: Resealed }) {
  const { secrets, headers, failed } = done;
  return (
    <div className={styles.result} role="status">
      <p>
        {counted(secrets, "secret")} and {counted(headers, "header value")} were
        sealed anew.
      </p>
      {failed.length > 0 && (
        <>
          <p>{counted(failed.length, "value")} could not be, and stay:</p>
          <ul>
            {failed.map(({ endpointId, secretId, header, kid, reason }) => (
              <li key={`${endpointId} ${secretId} ${header}`}>
                <Text>{`${secretId ?? `header ${header}`} of ${endpointId} (${kid}): ${WHY[reason] ?? reason}`}</Text>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
