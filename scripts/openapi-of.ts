/** The OpenAPI documents of both APIs, asked from the code itself: the services are composed, as at their start, and not started. So no Kafka and no ClickHouse is needed. */
import {
  noTracer,
  systemClock,
  type Effects,
  type Env,
} from "../packages/runtime/src/index.ts";
import * as control from "../services/control/src/index.ts";
import * as ingest from "../services/ingest/src/index.ts";

/** None of these addresses is ever connected to. */
const ENV: Env = {
  KAFKA_BROKERS: "127.0.0.1:9",
  CLICKHOUSE_URL: "http://127.0.0.1:9",
  POSTRIDER_ADMIN_KEY: "key",
  POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString("base64")}`,
};

const nothing = (): void => undefined;
const EFFECTS: Effects = {
  log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  meter: {
    counter: () => ({ inc: nothing }),
    gauge: () => ({ set: nothing }),
    histogram: () => ({ observe: nothing }),
  },
  clock: systemClock,
  tracer: noTracer,
};

/** Each API's routes and document, by the name of its file in docs/openapi. */
export function describedApis() {
  const { door } = ingest.compose(ingest.readIngestConfig(ENV), EFFECTS);
  if (door === null) throw new Error("by default ingest has a door");
  return {
    control: control.compose(control.readControlConfig(ENV), EFFECTS),
    door,
  };
}
