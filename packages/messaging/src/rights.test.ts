import { expect, test } from "@jest/globals";
import { groupsOf } from "./groups.ts";
import {
  grantCommand,
  HOLDERS_OF,
  mergedRights,
  rightsOf,
  type Right,
  type RightsHolder,
} from "./rights.ts";

test("a right as a command names the user, each operation, the resource and whether it is a prefix", () => {
  const rights = rightsOf("control", { prefix: "p.", tiers: [] });
  const commandOf = (name: string): string =>
    grantCommand(
      rights.find((right) => right.name === name)!,
      "User:control",
    );

  expect(commandOf("p.endpoints")).toBe(
    "kafka-acls.sh --bootstrap-server $BROKER --command-config admin.properties --add --allow-principal User:control --operation Read --operation Write --topic p.endpoints",
  );
  expect(commandOf("p.control.table.")).toBe(
    "kafka-acls.sh --bootstrap-server $BROKER --command-config admin.properties --add --allow-principal User:control --operation Read --group p.control.table. --resource-pattern-type prefixed",
  );
});

test("a resource of which two holders want something is named once, with all of it", () => {
  const topic = {
    resource: "topic",
    name: "p.schemas",
    isPrefix: false,
  } as const;
  const others = { ...topic, isPrefix: true, operations: ["Read"] } as const;

  expect(
    mergedRights([
      { ...topic, operations: ["Read"] },
      others,
      { ...topic, operations: ["Write", "Read"] },
    ]),
  ).toEqual([{ ...topic, operations: ["Read", "Write"] }, others]);
});

test("only control may write endpoints, keys and the audit trail, and nobody but the publishers' door may write events, unless operational events are wanted", () => {
  const holders = [
    "door",
    "route",
    "dispatcher",
    "retry-scheduler",
    "recorder",
    "control",
  ] as const;
  const writersOf = (topic: string): string[] =>
    holders.filter((holder) =>
      rightsOf(holder, { prefix: "", tiers: [] }).some(
        ({ resource, name, operations }) =>
          resource === "topic" &&
          name === topic &&
          operations.includes("Write"),
      ),
    );

  expect(writersOf("endpoints")).toEqual(["control"]);
  expect(writersOf("control")).toEqual(["control"]);
  expect(writersOf("audit")).toEqual(["control"]);
  expect(writersOf("events")).toEqual(["door"]);
  const besides = rightsOf("operations", { prefix: "", tiers: [] });
  expect(besides.map(({ name, operations }) => [name, operations])).toEqual([
    ["events", ["Write"]],
  ]);
});

test.each(groupsOf([{ topic: "retry.1s" }]))(
  "$service may read as $name, and each topic that the group reads",
  ({ name, service, topics }) => {
    const tiers = [{ topic: "retry.1s" }];
    const holders: readonly RightsHolder[] = HOLDERS_OF[service];
    const readable = holders
      .flatMap((holder) => rightsOf(holder, { prefix: "", tiers }))
      .filter(({ operations }) => operations.includes("Read"))
      .map((right) => `${right.resource} ${right.name}`);

    expect(readable).toEqual(
      expect.arrayContaining([
        `group ${name}`,
        ...topics.map((topic) => `topic ${topic}`),
      ]),
    );
  },
);

test("control may describe each group, and each topic that a group reads", () => {
  const tiers = [{ topic: "retry.1s" }];
  const rights = HOLDERS_OF.control.flatMap((holder) =>
    rightsOf(holder, { prefix: "", tiers }),
  );
  const mayDescribe = (resource: Right["resource"], name: string): boolean =>
    rights.some(
      (right) =>
        right.resource === resource &&
        (right.isPrefix ? name.startsWith(right.name) : right.name === name),
    );

  for (const { name, topics } of groupsOf(tiers)) {
    expect({ name, isSeen: mayDescribe("group", name) }).toEqual({
      name,
      isSeen: true,
    });
    expect(topics.filter((topic) => !mayDescribe("topic", topic))).toEqual([]);
  }
});

test("what control needs to tell how far stages are behind is to describe, and nothing that it needs to work", () => {
  const options = { prefix: "", tiers: [] };
  const needed = rightsOf("control", options).map(
    ({ resource, name }) => `${resource} ${name}`,
  );
  const lag = rightsOf("lag", options);

  expect(new Set(lag.flatMap(({ operations }) => operations))).toEqual(
    new Set(["Describe"]),
  );
  expect(
    lag.filter(({ resource, name }) => needed.includes(`${resource} ${name}`)),
  ).toEqual([]);
});
