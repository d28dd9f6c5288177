import { z } from "zod";
import { OPEN } from "../access.ts";
import { described } from "../operation.ts";
import type { ApiRoute, Routes } from "../routes.ts";
import { docsPage, PAGE_POLICY } from "./docs-page.ts";
import type { OpenApiDocument } from "./document.ts";
import { type ApiDescription, openApiOf } from "./openapi.ts";

const TAG = "this document";

/**
 * `GET /openapi.json` and `GET /docs`, without a key: both say what is public anyway, and nothing of what is stored. The document is made
 * once, when it is first asked for: that holds up the requests under way for some hundred milliseconds, and would hold up every start otherwise; `document()` gives it to programs of ours.
 */
export function documentRoutes(
  api: ApiDescription,
  registered: readonly ApiRoute[],
): { readonly routes: Routes; readonly document: () => OpenApiDocument } {
  const tags = { ...api.tags, [TAG]: "What you are reading." };
  const document = once(() => openApiOf({ ...api, tags }, registered));
  const text = once(() => JSON.stringify(document()));
  const page = once(() => docsPage(document()));
  return {
    document,
    routes: (app) => {
      app.get("/openapi.json", described(OPEN, OPENAPI), async (_, reply) =>
        reply.header("content-type", "application/json").send(text()),
      );
      app.get("/docs", described(OPEN, DOCS), async (_, reply) =>
        reply
          .headers({
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": PAGE_POLICY,
            "referrer-policy": "no-referrer",
          })
          .send(page()),
      );
    },
  };
}

const OPENAPI = {
  id: "getOpenApi",
  tag: TAG,
  summary: "This document, for programs",
  answers: {
    200: {
      description: "OpenAPI 3.1",
      body: z.looseObject({ openapi: z.string() }),
    },
  },
};

const DOCS = {
  id: "getDocs",
  tag: TAG,
  summary: "This document, for people",
  answers: {
    200: {
      description: "One HTML page, which loads nothing",
      mediaType: "text/html",
    },
  },
};

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
