import type { Intake } from "@postrider/core";
import type { Answer } from "./answers.ts";
import {
  count,
  grouped,
  mean,
  most,
  newest,
  ordered,
  quantile,
  round,
  sum,
  time,
  type Cell,
} from "./figures.ts";

const typeOf = (each: Intake): Cell[] => [each.tenantId, each.eventType];
const isFirstPart = (each: Intake): boolean => each.part === 0;
const isRepeat = (each: Intake): boolean => each.decision === "duplicate";
const oldest = (group: readonly Intake[]): Intake =>
  group.toSorted((a, b) => received(a) - received(b))[0]!;
const bytes = (each: Intake): number => each.payloadBytes;
const lag = (each: Intake): number => each.decidedAt - each.receivedAt;
const received = (each: Intake): number => each.receivedAt;

export const INTAKE_ANSWERS: Readonly<Record<string, Answer>> = {
  "unwanted-events": ({ intakes }) =>
    ordered(
      grouped(
        intakes.filter((each) => each.decision === "no_match"),
        typeOf,
        (group) => [
          group.length,
          count(group, (each) => each.disabledEndpointIds.length > 0),
          sum(group, bytes),
          time(most(group, received)),
        ],
      ),
      -2,
      0,
      1,
    ),

  "refused-events": ({ intakes }) =>
    ordered(
      grouped(
        intakes.filter((each) =>
          ["invalid", "refused"].includes(each.decision),
        ),
        (each) => [
          each.decision,
          ...typeOf(each),
          each.field ?? "",
          each.rule ?? "",
        ],
        (group) => {
          const last = newest(group, received);
          return [
            group.length,
            time(last.receivedAt),
            last.eventId,
            last.reason,
          ];
        },
      ),
      -5,
      1,
      2,
      3,
      4,
      0,
    ),

  duplicates: ({ intakes }) => {
    const repeated = [
      ...Map.groupBy(
        intakes.filter(isFirstPart),
        (each) => `${each.tenantId} ${each.eventId}`,
      ).values(),
    ].filter((group) => group.some(isRepeat));
    return ordered(
      grouped(
        repeated,
        (group) => typeOf(oldest(group)),
        (group) => {
          const known = group.filter((each) => !isRepeat(oldest(each)));
          return [
            group.length,
            count(group.flat(), isRepeat),
            known.length === 0
              ? null
              : most(
                  known,
                  (each) => most(each, received) - received(oldest(each)),
                ),
          ];
        },
      ),
      -3,
      0,
      1,
    );
  },

  "fan-out": ({ intakes }) => {
    const routed = [
      ...Map.groupBy(
        intakes.filter((each) => each.decision === "routed"),
        (each) => each.sourceOffset,
      ).values(),
    ].map((parts) => ({
      event: parts[0]!,
      deliveries: sum(parts, (part) => part.deliveries.length),
    }));
    return ordered(
      grouped(
        routed,
        ({ event }) => typeOf(event),
        (group) => [
          group.length,
          sum(group, (each) => each.deliveries),
          round(
            mean(group, (each) => each.deliveries),
            2,
          ),
          most(group, (each) => each.deliveries),
        ],
      ),
      -3,
      0,
      1,
    );
  },

  "events-by-type": ({ intakes }) =>
    ordered(
      grouped(intakes.filter(isFirstPart), typeOf, (group) => [
        group.length,
        sum(group, bytes),
        round(mean(group, bytes)),
        most(group, bytes),
      ]),
      -3,
      0,
      1,
    ),

  "routing-lag": ({ intakes }) =>
    ordered(
      grouped(
        intakes.filter(isFirstPart),
        (each) => [each.sourceTopic, each.sourcePartition],
        (group) => [
          group.length,
          quantile(group, lag, 0.5),
          quantile(group, lag, 0.95),
          most(group, lag),
          most(group, (each) => each.sourceOffset),
        ],
      ),
      -4,
      0,
      1,
    ),
};
