import { expect, test } from "@jest/globals";
import { documentedAnswers } from "./documented-answers.ts";

const required = documentedAnswers({
  paths: {
    "/v1/things/{id}": {
      get: {
        responses: {
          200: {
            content: {
              "application/json": {
                schema: { $ref: "#/components/schemas/Thing" },
              },
            },
          },
          204: {},
        },
      },
    },
  },
  components: {
    schemas: {
      Thing: {
        type: "object",
        properties: { at: { type: "string", format: "date-time" } },
        required: ["at"],
      },
    },
  },
});

const asked = (more: {
  readonly path?: string;
  readonly status?: number;
  readonly contentType?: string;
  readonly text?: string;
}) => ({
  method: "GET",
  path: "/v1/things/7?x=1",
  status: 200,
  contentType: "application/json; charset=utf-8",
  text: '{"at":"2026-11-29T00:00:00.000Z"}',
  ...more,
});

test("an answer that is as documented passes", () => {
  expect(() => required(asked({}))).not.toThrow();
  expect(() => required(asked({ status: 204, text: "" }))).not.toThrow();
});

test.each([
  [{ status: 418 }, "no such status"],
  [{ text: '{"at":"yesterday"}' }, "date-time"],
  [{ text: "{}" }, "required"],
  [
    { text: '{"at":"2026-11-29T00:00:00.000Z","more":1}' },
    "additional properties",
  ],
  [{ contentType: "text/html" }, "text/html"],
  [{ status: 204, text: "x" }, "no body"],
  [{ path: "/v1/other" }, "no such operation"],
])("an answer with %j is refused", (more, why) => {
  expect(() => required(asked(more))).toThrow(why);
});
