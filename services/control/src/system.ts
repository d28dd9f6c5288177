/** Wires what shows the installation itself: its processes, stages and topics as Kafka knows them, and control's own configuration. */
import type { Routes } from "@postrider/http";
import {
  createAskedAdmin,
  principalOf,
  type Kafka,
} from "@postrider/messaging";
import {
  LATE,
  settingsOf,
  within,
  type Effects,
  type Lifecycle,
} from "@postrider/runtime";
import type { ControlConfig } from "./config.ts";
import { ControlProblem } from "./http/problem.ts";
import { rfc3339 } from "./http/rfc3339.ts";
import { keptAnswer } from "./system/kept-answer.ts";
import { readCluster } from "./system/read-cluster.ts";
import type { SystemView } from "./system/system-operations.ts";
import { systemRoutes } from "./system/system-routes.ts";
import { viewOf } from "./system/system-view.ts";

/** Many open consoles ask Kafka no more often than this, ms. */
const KEPT_MS = 3_000;
/** Longer than the parts of the answer may take one after another, ms. */
const PATIENCE_MS = 12_000;

export function composeSystem(
  options: Pick<Effects, "clock"> & {
    readonly config: ControlConfig;
    readonly kafka: Pick<Kafka, "impatientAdmin">;
  },
): { readonly part: Lifecycle; readonly routes: Routes } {
  const { config, kafka, clock } = options;
  const { topicPrefix: prefix } = config;
  // Of its own: who waits for this answer gives up, and the others who ask Kafka do not.
  const asked = createAskedAdmin(kafka.impatientAdmin);
  const principal = principalOf(config);

  async function system(): Promise<SystemView> {
    const askedAt = rfc3339(clock.now());
    try {
      const state = await within(
        asked.ask((admin) => readCluster(admin, prefix)),
        PATIENCE_MS,
      );
      if (state === LATE) throw new Error(`no answer in ${PATIENCE_MS} ms`);
      return { askedAt, ...viewOf(state, { prefix, principal }) };
    } catch (cause) {
      throw new ControlProblem(
        "kafka_unavailable",
        `Kafka did not tell its groups and topics: ${cause instanceof Error ? cause.message : String(cause)}. Try again; /readyz of this replica's admin port says whether it reaches Kafka otherwise.`,
        { cause },
      );
    }
  }

  return {
    part: { start: () => Promise.resolve(), stop: asked.stop },
    routes: systemRoutes({
      system: keptAnswer(system, { forMs: KEPT_MS, clock }),
      settings: settingsOf(config),
    }),
  };
}
