/** Every query of every dashboard over Prometheus on a real Prometheus that has each metric. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { declaredMetrics } from "../scripts/metrics-of.ts";
import { PROMETHEUS_BOARDS } from "./dashboards/boards.ts";
import { expandPromql } from "./dashboards/expand.ts";
import { LABEL_VALUES } from "./dashboards/label-values.ts";
import {
  HAS_PROMETHEUS,
  startPrometheus,
  type PrometheusServer,
} from "./dashboards/prometheus-server.ts";

const [testWithPrometheus, why] = HAS_PROMETHEUS
  ? [test, ""]
  : [
      test.skip,
      " (skipped: prometheus and promtool are not on the path; Debian's package prometheus has them)",
    ];

let server: PrometheusServer | undefined;
beforeAll(async () => {
  if (!HAS_PROMETHEUS) return;
  server = await startPrometheus(await declaredMetrics(), {
    ...LABEL_VALUES,
    quantile: ["0.5", "0.99"],
    table: ["events", "attempts", "dead_letters", "signals"],
  });
});
afterAll(() => server?.stop());

const QUERIES = PROMETHEUS_BOARDS.flatMap(({ name, board }) =>
  board.panels.flatMap(({ title, targets }) =>
    targets.map(({ refId, expr = "" }) => ({ name, title, refId, expr })),
  ),
);

testWithPrometheus.each(QUERIES)(
  `$name, $title, $refId has numbers${why}`,
  async ({ expr }) => {
    const values = await server!.query(expandPromql(expr));

    expect(values).not.toEqual([]);
    expect(values.filter((value) => !Number.isFinite(value))).toEqual([]);
  },
);
