/** What the routes about the system take and answer. */
import { ADMINISTER_ALL, described, READ_ALL } from "@postrider/http";
import { z } from "zod";
import { kinds } from "../http/problem.ts";
import { listOf, oneOf, shownTime } from "../http/shown.ts";

const tag = "status";

const version = z.string().nullable().meta({
  description:
    "Of Postrider; null: not known while its group rebalances, or of a version that does not tell it",
});
const host = z
  .string()
  .meta({ description: "The address from which it has joined its group" });
const pid = z.int().nullable().meta({
  description: "Of the process, within its container; null: not known",
});
const problem = z
  .strictObject({
    detail: z.string(),
    command: z
      .string()
      .nullable()
      .meta({ description: "The command that mends it, where there is one" }),
  })
  .nullable()
  .meta({ description: "Why something is not known; null: nothing is amiss" });
const behind = z.int().nullable().meta({
  description:
    "Records from the committed offsets to the end. A commit names the first record that is not done, so this also counts records after it that are. Null: not known",
});
const unfinished = z.int().nullable().meta({
  description:
    "Of these, what was not done at the last commit, as far as the stage says it in its commits. Null: not known",
});
const service = z.string().meta({ examples: ["dispatcher"] });

const stageTopic = z.strictObject({
  topic: z.string(),
  partitions: z.int().nullable(),
  committed: z.int().nullable().meta({
    description:
      "The sum of the offsets at which the group goes on. Null: not known",
  }),
  end: z.int().nullable().meta({
    description:
      "The sum of the offsets at which the logs end. Null: not known",
  }),
  behind,
  unfinished,
  problem,
});

const stage = z.strictObject({
  name: z.string().meta({
    description: "Its group without the prefix",
    examples: ["recorder.attempts"],
  }),
  service,
  groupId: z.string(),
  state: oneOf(["stable", "rebalancing", "empty", "none", "unknown"]).meta({
    description:
      "`empty`: it has no member. `none`: there is no such group, because none has joined it yet. `unknown`: see `problem`",
  }),
  isWaiting: z.boolean().meta({
    description:
      "Its records wait for their time in their tier: that they are not done is no arrear",
  }),
  members: listOf(
    z.strictObject({
      host,
      pid,
      version,
      partitions: z.int().meta({ description: "That it was assigned" }),
    }),
  ),
  topics: listOf(stageTopic),
  behind,
  unfinished,
  problem,
});

const topic = z.strictObject({
  topic: z.string(),
  partitions: z.int().nullable(),
  replicas: z.int().nullable().meta({
    description: "Of the partition that has the fewest",
  }),
  underReplicated: z.int().nullable().meta({
    description: "Partitions of which a replica is not in sync",
  }),
  leaderless: z.int().nullable().meta({
    description: "Partitions that can be neither written nor read",
  }),
  records: z.int().nullable().meta({
    description:
      "From the logs' starts to their ends. Of a compacted topic there are fewer",
  }),
  problem,
});

export const systemView = z
  .strictObject({
    askedAt: shownTime.meta({ description: "When Kafka was asked" }),
    processes: listOf(z.strictObject({ service, host, pid, version })).meta({
      description:
        "Every process that is up, as Kafka sees it. `ingest` is a door, a route stage, or both",
    }),
    stages: listOf(stage).meta({
      description:
        "In the order of the flow. A configured source has a stage of its own, `route.TOPIC`",
    }),
    topics: listOf(topic),
    problem,
  })
  .meta({ id: "System" });

export type SystemView = z.infer<typeof systemView>;
export type StageView = z.infer<typeof stage>;
export type StageTopicView = z.infer<typeof stageTopic>;
export type TopicView = z.infer<typeof topic>;
export type ProblemView = z.infer<typeof problem>;

const configurationView = z
  .strictObject({
    service: oneOf(["control"]),
    version: z.string(),
    settings: listOf(
      z.strictObject({
        variable: z.string(),
        value: z.string().nullable().meta({
          description:
            "As it is written in the environment. `[redacted]`: a secret that is set. Null: not set",
        }),
        from: oneOf(["default", "environment", "file"]).meta({
          description:
            "`file`: the file that the variable with `_FILE` at its end names",
        }),
        isSecret: z.boolean(),
        description: z.string(),
      }),
    ),
  })
  .meta({ id: "Configuration" });

const MEMBER = { host: "10.0.3.17", pid: 1, version: "0.1.0" };

export const SYSTEM_OPERATIONS = {
  system: described(READ_ALL, {
    id: "getSystem",
    tag,
    summary: "Which processes are up, and how far each stage is behind",
    description:
      "As Kafka tells it. It is asked at most every three seconds, however many ask. What Kafka refuses, or a broker does not answer, is a `problem` where it would be, and nothing else is missing.",
    answers: {
      200: {
        description: "The groups and topics, at `askedAt`",
        body: systemView,
        example: {
          askedAt: "2026-11-23T23:25:03.000Z",
          processes: [{ service: "dispatcher", ...MEMBER }],
          stages: [
            {
              name: "dispatcher",
              service: "dispatcher",
              groupId: "postrider.dispatcher",
              state: "stable",
              isWaiting: false,
              members: [{ ...MEMBER, partitions: 12 }],
              topics: [
                {
                  topic: "postrider.deliveries",
                  partitions: 12,
                  committed: 184_200,
                  end: 184_963,
                  behind: 763,
                  unfinished: 21,
                  problem: null,
                },
              ],
              behind: 763,
              unfinished: 21,
              problem: null,
            },
          ],
          topics: [
            {
              topic: "postrider.deliveries",
              partitions: 12,
              replicas: 3,
              underReplicated: 0,
              leaderless: 0,
              records: 184_963,
              problem: null,
            },
          ],
          problem: null,
        } satisfies SystemView,
      },
    },
    problems: kinds("kafka_unavailable"),
  }),
  config: described(ADMINISTER_ALL, {
    id: "getConfiguration",
    tag,
    summary: "What this replica of control runs with",
    description:
      "Secrets are not shown, only whether they are set; of a URL neither user nor query is.",
    answers: {
      200: {
        description: "Every setting of control, set or not",
        body: configurationView,
        example: {
          service: "control",
          version: "0.1.0",
          settings: [
            {
              variable: "POSTRIDER_QUERY_TIMEOUT",
              value: "30s",
              from: "default",
              isSecret: false,
              description:
                "How long a query of POST /v1/query, or a saved query, may run.",
            },
          ],
        },
      },
    },
  }),
};
