/** The OpenAPI documents of both APIs: whole, valid, and as they are in docs/openapi. */
import { expect, test } from "@jest/globals";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  responseOf,
  type OpenApiDocument,
  type OpenApiOperation,
} from "@postrider/http";
import { describedApis } from "../scripts/openapi-of.ts";

const apis = describedApis();

const all = Object.entries(apis).map(
  ([name, { routes, document }]) =>
    [name, { routes, document: document() }] as const,
);

function operationsOf(
  document: OpenApiDocument,
): (OpenApiOperation & { readonly route: string })[] {
  return Object.entries(document.paths).flatMap(([path, of]) =>
    Object.entries(of).map(([method, operation]) => ({
      ...operation,
      route: `${method.toUpperCase()} ${path}`,
    })),
  );
}

test.each(all)(
  "%s: every route is in the document, and no operation is without a route",
  (_, { routes, document }) => {
    const registered = routes
      .filter(({ method }) => method !== "HEAD")
      .map(
        ({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, "{$1}")}`,
      );

    expect(
      operationsOf(document)
        .map(({ route }) => route)
        .sort(),
    ).toEqual(registered.sort());
  },
);

test.each(all)("%s: the document is valid OpenAPI 3.1", async (_, api) => {
  const copy = JSON.parse(JSON.stringify(api.document)) as Record<
    string,
    unknown
  >;

  const { valid, errors } = await new Validator().validate(copy);

  expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
});

test.each(all)(
  "%s: each operation has an id and a tag of its own document, and no two have one id",
  (_, { document }) => {
    const tags = new Set(document.tags.map(({ name }) => name));
    const operations = operationsOf(document);

    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      operations.filter((each) => !each.tags.every((tag) => tags.has(tag))),
    ).toEqual([]);
  },
);

test.each(all)(
  "%s: every example is what its schema asks for",
  (_, { document }) => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addFormat("date-time", true);
    ajv.addSchema(JSON.parse(JSON.stringify(document)) as object, "api");
    const wrong = operationsOf(document).flatMap((each) =>
      [
        each.requestBody,
        ...Object.values(each.responses).map((of) => responseOf(document, of)),
      ].flatMap((of) =>
        Object.values(of?.content ?? {}).flatMap(({ schema, example }) => {
          if (example === undefined) return [];
          const text = JSON.stringify(schema).replaceAll('"#/', '"api#/');
          const isFit = ajv.validate(JSON.parse(text) as object, example);
          return isFit ? [] : [`${each.route}: ${ajv.errorsText()}`];
        }),
      ),
    );

    expect(wrong).toEqual([]);
  },
);

test.each(all)(
  "%s: what needs no key is the document itself, control's console, and nothing else",
  (name, { document }) => {
    const open = operationsOf(document).filter(
      ({ security }) => security?.length === 0,
    );

    const console = ["GET /", "GET /assets/{name}"];
    expect(open.map(({ route }) => route).sort()).toEqual([
      ...(name === "control" ? console : []),
      "GET /docs",
      "GET /openapi.json",
    ]);
  },
);

test.each(all)(
  "%s: every operation says its problems, by status, and 401 where a key is needed",
  (_, { document }) => {
    for (const { route, security, responses } of operationsOf(document)) {
      const isOpen = security?.length === 0;
      const problems = Object.entries(responses).filter(
        ([status]) => Number(status) >= 400,
      );
      expect({ route, has401: "401" in responses }).toEqual({
        route,
        has401: !isOpen,
      });
      for (const [status, response] of problems)
        expect({
          route,
          status,
          types: Object.keys(responseOf(document, response).content ?? {}),
        }).toEqual({
          route,
          status,
          types: ["application/problem+json"],
        });
    }
  },
);
