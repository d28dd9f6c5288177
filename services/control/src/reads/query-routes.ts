import type { Clock } from "@postrider/runtime";
import type { FastifyReply } from "fastify";
import { invalid, type Routes } from "@postrider/http";
import type { QueryValues } from "../cookbook/read-parameters.ts";
import { ControlProblem } from "../http/problem.ts";
import { queryAnswerJson } from "./query-answer.ts";
import { judgeQuery } from "./query-guard.ts";
import { queryBody, READ_OPERATIONS } from "./read-operations.ts";
import type { Reader } from "./reader.ts";
import type { Reading } from "./reading.ts";
import { problemsOf } from "../http/zod-problems.ts";

/** `POST /v1/query`: an operator's own SQL, read-only and capped. The text is never logged, because its literals may be personal data. */
export function queryRoutes(reader: Reader, clock: Clock): Routes {
  return (app) => {
    app.post("/v1/query", READ_OPERATIONS.query, async (request, reply) => {
      const body = queryBody.safeParse(request.body);
      if (!body.success) throw invalid(problemsOf(body.error));
      const judged = judgeQuery(body.data.sql);
      if (!judged.isAllowed)
        throw new ControlProblem("query_refused", `sql: ${judged.message}`, {
          errors: [
            { field: "sql", rule: judged.rule, message: judged.message },
          ],
        });
      return await answerQuery({ reader, clock }, { sql: judged.sql }, reply);
    });
  };
}

/** Aborts when the caller disconnects: then the query is ended in ClickHouse, too. */
export function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}

/** Runs a query for the caller of `reply`. Resolves to the body of the answer. */
export async function answerQuery(
  {
    reader,
    clock,
  }: { readonly reader: Pick<Reading, "query">; readonly clock: Clock },
  query: { readonly sql: string; readonly values?: QueryValues },
  reply: FastifyReply,
): Promise<string> {
  const startedAt = clock.monotonic();
  const answer = await reader.query(query.sql, goneOf(reply), query.values);
  const elapsedMs = Math.round(clock.monotonic() - startedAt);
  void reply.header("content-type", "application/json; charset=utf-8");
  return queryAnswerJson(answer, elapsedMs);
}
