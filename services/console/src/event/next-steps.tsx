import { Link } from "@tanstack/react-router";
import type { Explanation } from "../api/answers-event.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { stepOf } from "../shown/next-steps.ts";
import styles from "./event.module.css";

/** What can be done, the first first. */
export function NextSteps({ event }: { readonly event: Explanation }) {
  const { caller } = useSession();
  return (
    <section className={styles.card} aria-labelledby="next">
      <h2 id="next">What can be done</h2>
      {caller.role !== "admin" && (
        <p className={styles.note}>
          What changes something needs the key of an administrator.
        </p>
      )}
      <ol className={styles.steps}>
        {event.next.map((step) => {
          const { what, command } = stepOf(step, event);
          const { action, endpointId, deliveryId } = step;
          return (
            <li key={`${action} ${endpointId} ${deliveryId}`}>
              <p>
                <Text>{what}</Text>
                {endpointId !== null && deliveryId === null && (
                  <>
                    {" "}
                    <Link to="/endpoints/$id" params={{ id: endpointId }}>
                      Open the endpoint
                    </Link>
                  </>
                )}
                {deliveryId !== null && (
                  <>
                    {" "}
                    <Link to="/deliveries/$id" params={{ id: deliveryId }}>
                      Open the delivery
                    </Link>
                  </>
                )}
              </p>
              {command !== null && (
                <div className={styles.command}>
                  <code>
                    <Text>{command}</Text>
                  </code>
                  <CopyButton text={command}>Copy</CopyButton>
                </div>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
