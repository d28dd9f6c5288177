import type { EndpointNow } from "../api/answers-event.ts";
import { Text } from "../parts/text.tsx";
import type { Others } from "../shown/event-sentences.ts";
import { EndpointLink } from "./endpoint-name.tsx";
import styles from "./event.module.css";

/** The tenant's endpoints that were sent nothing, by why. */
export function OthersList({ others }: { readonly others: readonly Others[] }) {
  return (
    <section className={styles.card} aria-labelledby="others">
      <h2 id="others">Who was sent nothing</h2>
      {others.map(({ why, endpoints, hidden }) => (
        <div key={why}>
          <p>{why}</p>
          <ul className={styles.others}>
            {endpoints.map((endpoint) => (
              <li key={endpoint.id}>
                <EndpointLink of={endpoint} />
                <small>
                  <Text>{nowOf(endpoint)}</Text>
                </small>
              </li>
            ))}
            {hidden > 0 && <li>and {hidden} more</li>}
          </ul>
        </div>
      ))}
    </section>
  );
}

/** `ep_1, disabled now (gone); wants order.*; filter: …` */
function nowOf(endpoint: EndpointNow): string {
  const { id, state, stateReason, eventTypes, filter } = endpoint;
  const why = stateReason === null ? "" : ` (${stateReason})`;
  return [
    `${id}, ${state} now${why}`,
    ...(eventTypes.length === 0 ? [] : [`wants ${eventTypes.join(", ")}`]),
    ...(filter === null ? [] : [`filter: ${filter}`]),
  ].join("; ");
}
