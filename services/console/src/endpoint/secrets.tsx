import { Fragment } from "react";
import type {
  EndpointSecret,
  EndpointSettings,
} from "../api/answers-endpoints.ts";
import card from "../parts/card.module.css";
import { Facts, type Fact } from "../parts/facts.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";

/** Which secrets sign, and until when. The secrets themselves are shown once, where they are made. */
export function Secrets({ endpoint }: { readonly endpoint: EndpointSettings }) {
  return (
    <section className={card.card} aria-labelledby="secrets">
      <h2 id="secrets">Secrets that sign</h2>
      <Facts facts={endpoint.secrets.toReversed().map(factOf)} />
    </section>
  );
}

function factOf({ id, createdAt, expiresAt, publicKey }: EndpointSecret): Fact {
  return [
    <Fragment key="made">
      made <Time at={createdAt} />
    </Fragment>,
    <Fragment key="secret">
      <Text>{id}</Text>
      {expiresAt !== null && (
        <small>
          signs until <Time at={expiresAt} />
        </small>
      )}
      {publicKey !== null && (
        <small>
          public key <Text>{publicKey}</Text>
        </small>
      )}
    </Fragment>,
  ];
}
