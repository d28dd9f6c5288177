import type { EndpointWithSecret } from "../api/answers-endpoints.ts";
import { Text } from "../parts/text.tsx";

/** What is shown of an endpoint's new secret. */
export function secretOf({ url, secret }: EndpointWithSecret) {
  return {
    value: secret,
    note: (
      <>
        Give it to the receiver of <Text>{url}</Text> now. It is shown this
        once: after this is closed, nobody can look it up, and only a rotation
        makes another one.
      </>
    ),
  };
}
