import type { EndpointSettings } from "../api/answers-endpoints.ts";
import card from "../parts/card.module.css";
import { Facts, type Fact } from "../parts/facts.tsx";
import { HeaderTable } from "../parts/header-table.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { shownDuration } from "../shown/amounts.ts";

/** How an endpoint is set. The values of secret headers are `[redacted]`: the API shows them to nobody. */
export function Configuration({
  endpoint,
}: {
  readonly endpoint: EndpointSettings;
}) {
  return (
    <section className={card.card} aria-labelledby="configuration">
      <h2 id="configuration">Configuration</h2>
      <Facts facts={factsOf(endpoint)} />
      <HeaderTable title="Headers" headers={endpoint.headers} />
    </section>
  );
}

function factsOf(endpoint: EndpointSettings): readonly Fact[] {
  const { externalId, filter, rateLimit } = endpoint;
  return [
    ["Id", <Text key="id">{endpoint.id}</Text>],
    ["Tenant", <Text key="tenant">{endpoint.tenantId}</Text>],
    ...(externalId === null
      ? []
      : [["Your own id", <Text key="own">{externalId}</Text>] as const]),
    ["Event types", <Text key="types">{endpoint.eventTypes.join(", ")}</Text>],
    [
      "Filter",
      filter === null ? (
        "none"
      ) : (
        <code key="filter">
          <Text>{filter}</Text>
        </code>
      ),
    ],
    ["Method", <Text key="method">{endpoint.method}</Text>],
    ["Signatures", <Text key="signing">{endpoint.signing.join(", ")}</Text>],
    ["Time for an attempt", shownDuration(endpoint.timeoutMs)],
    ["Requests at once", `${endpoint.maxConcurrency} at most`],
    [
      "Rate limit",
      rateLimit === null
        ? "none"
        : `${rateLimit.perSecond} in a second, ${rateLimit.burst} at once`,
    ],
    [
      "Waits",
      endpoint.retryDelaysMs?.map(shownDuration).join(", ") ??
        "the built-in ones",
    ],
    [
      "Attempts",
      endpoint.maxAttempts === null
        ? "one more than waits"
        : `${endpoint.maxAttempts} at most`,
    ],
    [
      "Maximum age",
      endpoint.maxAgeMs === null
        ? "the default: 72 h, or longer waits"
        : shownDuration(endpoint.maxAgeMs),
    ],
    [
      "Never tried again",
      `after ${[410, ...endpoint.notRetryableStatuses].join(", ")}`,
    ],
    ["Version", String(endpoint.version)],
    ["Made", <Time key="made" at={endpoint.createdAt} />],
    ["Changed", <Time key="changed" at={endpoint.updatedAt} />],
  ];
}
