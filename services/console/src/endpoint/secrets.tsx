import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import styles from "./endpoint.module.css";

/** Which secrets sign, and until when. The secrets themselves are shown once, where they are made. */
export function Secrets({ endpoint }: { readonly endpoint: EndpointSettings }) {
  return (
    <section className={styles.card} aria-labelledby="secrets">
      <h2 id="secrets">Secrets that sign</h2>
      <dl className={styles.facts}>
        {endpoint.secrets.toReversed().map((secret) => (
          <div key={secret.id}>
            <dt>
              made <Time at={secret.createdAt} />
            </dt>
            <dd>
              <Text>{secret.id}</Text>
              {secret.expiresAt !== null && (
                <small>
                  signs until <Time at={secret.expiresAt} />
                </small>
              )}
              {secret.publicKey !== null && (
                <small>
                  public key <Text>{secret.publicKey}</Text>
                </small>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
