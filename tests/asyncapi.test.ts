/** The AsyncAPI document of the topics: valid by the specification's own schema, and whole. */
import { expect, test } from "@jest/globals";
import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import { topicPlan } from "@postrider/messaging";
import { asyncApiDocument } from "../scripts/asyncapi-of.ts";
import { asyncApiProblems } from "../scripts/asyncapi-problems.ts";

interface Document {
  readonly channels: Readonly<
    Record<
      string,
      {
        readonly address: string;
        readonly messages: Readonly<Record<string, unknown>>;
      }
    >
  >;
  readonly operations: Readonly<
    Record<string, { readonly channel: { readonly $ref: string } }>
  >;
}

// Through JSON, as a reader gets it.
const document = JSON.parse(JSON.stringify(asyncApiDocument())) as Document;

test("it is AsyncAPI 3.0, and each reference in it leads somewhere", () => {
  expect(asyncApiProblems(document)).toEqual([]);
});

test("a document that is none is told from one that is", () => {
  const { channels } = document;

  expect(asyncApiProblems({ ...document, asyncapi: "2.0.0" })).not.toEqual([]);
  expect(
    asyncApiProblems({
      ...document,
      channels: { ...channels, events: { address: 5 } },
    }),
  ).not.toEqual([]);
  expect(
    asyncApiProblems({ ...document, channels: { events: channels["events"] } }),
  ).toContain("#/channels/deliveries leads to nothing");
});

test("every topic of the plan is a channel with a message, and somebody sends to it and somebody receives from it", () => {
  const plan = topicPlan({ prefix: "", tiers: parseTiers(DEFAULT_TIERS) });

  expect(Object.keys(document.channels)).toEqual(
    plan.map(({ topic }) => topic),
  );
  const operations = Object.keys(document.operations);
  for (const { topic } of plan) {
    const channel = document.channels[topic]!;
    expect(channel.address).toBe(`{prefix}${topic}`);
    expect(Object.keys(channel.messages)).not.toEqual([]);
    expect(operations.some((id) => id.endsWith(`-sends-${topic}`))).toBe(true);
    expect(operations.some((id) => id.endsWith(`-receives-${topic}`))).toBe(
      true,
    );
  }
});
