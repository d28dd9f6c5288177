/** Why something of the system is not known, and the command that mends it. Pure. */
import {
  grantCommand,
  HOLDERS_OF,
  lagRightOfSource,
  rightsOf,
  rightText,
  type Right,
} from "@postrider/messaging";
import type { ProblemView } from "./system-operations.ts";

type Known = NonNullable<ProblemView>;

/** Of a thing that control may not describe: names the right that it lacks. */
export type Lack = (resource: "topic" | "group", name: string) => Known;

export function lackOf(prefix: string, principal: string): Lack {
  const rights = HOLDERS_OF.control.flatMap((holder) =>
    rightsOf(holder, { prefix, tiers: [] }),
  );
  return (resource, name) => {
    const covering = rights.find(
      (right) =>
        right.resource === resource &&
        (right.isPrefix ? name.startsWith(right.name) : right.name === name),
    );
    // In no list of ours is the topic of a configured source.
    const right: Right =
      covering === undefined
        ? lagRightOfSource(name)
        : { ...covering, operations: ["Describe"] };
    return {
      detail: `Kafka does not allow ${principal}: ${rightText(right)}.`,
      command: grantCommand(right, principal),
    };
  };
}

export function missingTopic(topic: string): Known {
  return {
    detail: `There is no topic ${topic}.`,
    command: "npx postrider topics apply",
  };
}

export function silentLeaders(topic: string): Known {
  return {
    detail: `Not every partition of ${topic} has a leader that answers.`,
    command: null,
  };
}

export function silentBrokers(ids: readonly number[], so: string): Known {
  const who = ids.length === 1 ? "Broker" : "The brokers";
  return {
    detail: `${who} ${ids.join(", ")} did not answer: ${so}.`,
    command: null,
  };
}

export function silentCoordinator(groupId: string): Known {
  return {
    detail: `The coordinator of the group ${groupId} did not tell what it has committed.`,
    command: null,
  };
}

export function unseenGroup(groupId: string): Known {
  return {
    detail: `Kafka did not tell whether there is the group ${groupId}.`,
    command: null,
  };
}

/** Kafka lists no topic that may not be described. */
export function noTiers(lack: Known): Known {
  return {
    ...lack,
    detail: `No tier is seen: there is none yet, or it may not be described. ${lack.detail}`,
  };
}
