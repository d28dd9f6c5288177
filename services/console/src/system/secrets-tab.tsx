import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { EncryptionKeys } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Failure, Loading } from "../parts/notices.tsx";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { sealSentences } from "../shown/seal-sentences.ts";
import { ForOperators } from "./for-operators.tsx";
import { Reencrypted } from "./reencrypted.tsx";
import { ReencryptDialog } from "./reencrypt-dialog.tsx";
import type { Resealed } from "./reencrypt.ts";
import styles from "./system.module.css";

/** Which encryption key has sealed how much, and sealing it anew. */
export function SecretsTab() {
  const { caller } = useSession();
  return (
    <section className={styles.section} aria-label="Encryption keys">
      {caller.tenantId === null ? (
        <Secrets />
      ) : (
        <div className={list.list}>
          <ForOperators what="Encryption keys seal secrets of" />
        </div>
      )}
    </section>
  );
}

function Secrets() {
  const { ask } = useSession();
  const client = useQueryClient();
  const [isAsking, setIsAsking] = useState(false);
  const [done, setDone] = useState<Resealed | null>(null);
  const { data, error, dataUpdatedAt, refetch } = useQuery({
    queryKey: ["secrets"],
    queryFn: ({ signal }) => ask<EncryptionKeys>("v1/secrets", { signal }),
  });
  return (
    <>
      {data !== undefined && (
        <div className={styles.bar}>
          <div>
            {sealSentences(data).map((sentence) => (
              <p key={sentence}>
                <Text>{sentence}</Text>
              </p>
            ))}
          </div>
          <Reencrypt keys={data} onAsk={() => setIsAsking(true)} />
        </div>
      )}
      {done !== null && <Reencrypted done={done} />}
      <div className={list.list}>
        {error !== null && (
          <Failure
            error={error}
            onRetry={() => void refetch()}
            readAt={dataUpdatedAt}
          />
        )}
        {data === undefined && error === null && (
          <Loading what="encryption keys" />
        )}
        {data !== undefined && <KeyUse keys={data} />}
      </div>
      {isAsking && data !== undefined && (
        <ReencryptDialog
          newest={data.newest}
          onDone={(result) => {
            setDone(result);
            setIsAsking(false);
            void client.invalidateQueries({ queryKey: ["secrets"] });
          }}
          onClose={() => setIsAsking(false)}
        />
      )}
    </>
  );
}

/** For administrators, where there is something to seal anew; otherwise why not. */
function Reencrypt({
  keys,
  onAsk,
}: {
  readonly keys: EncryptionKeys;
  readonly onAsk: () => void;
}) {
  const { caller } = useSession();
  const isNeeded = keys.remaining + keys.plainHeaders > 0;
  const why =
    caller.role === "admin"
      ? "Nothing is left to seal anew."
      : "Sealing anew needs the key of an administrator.";
  const canAct = caller.role === "admin" && isNeeded;
  return (
    <div className={styles.end}>
      {caller.role === "admin" && (
        <Button disabled={!canAct} onClick={onAsk}>
          Seal anew…
        </Button>
      )}
      {!canAct && <p className={styles.note}>{why}</p>}
    </div>
  );
}

function KeyUse({ keys }: { readonly keys: EncryptionKeys }) {
  return (
    <table className={`${list.table} ${styles.plain}`}>
      <thead>
        <tr>
          <th scope="col">Encryption key</th>
          <th scope="col">State</th>
          <th scope="col" className={`${list.wide} ${list.number}`}>
            Endpoints
          </th>
          <th scope="col" className={list.number}>
            Secrets
          </th>
          <th scope="col" className={list.number}>
            Header values
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.keys.map(({ kid, isInRing, endpoints, secrets, headers }) => (
          <tr key={kid}>
            <th scope="row">
              <Text>{kid}</Text>
            </th>
            <td>
              {kid === keys.newest ? (
                <Sign tone="ok">Newest</Sign>
              ) : isInRing ? (
                <Sign tone="idle">Older</Sign>
              ) : (
                <Sign tone="bad">Missing here</Sign>
              )}
            </td>
            <td className={`${list.wide} ${list.number}`}>{endpoints}</td>
            <td className={list.number}>{secrets}</td>
            <td className={list.number}>{headers}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
