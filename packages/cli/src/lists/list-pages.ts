import type { ApiAddress } from "../api.ts";
import { callApi } from "../api.ts";
import type { ListSpec, Row } from "./list-spec.ts";

export interface ListPage {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

/** The most that control gives at once. */
const MAX_PAGE = 1_000;

export async function askPage(
  control: ApiAddress,
  { path, field }: Pick<ListSpec, "path" | "field">,
  parameters: URLSearchParams,
): Promise<ListPage> {
  const query = parameters.size === 0 ? "" : `?${parameters.toString()}`;
  const answer = (await callApi(control, {
    method: "GET",
    path: `${path}${query}`,
  })) as Readonly<Record<string, unknown>>;
  return {
    rows: answer[field] as readonly Row[], // this is what control's API answers
    nextCursor: answer["nextCursor"] as string | null,
  };
}

/** Page after page, until there are `limit` rows or no more. A page may be short, or empty, and still have a next one. */
export async function* pagesOf(
  control: ApiAddress,
  list: Pick<ListSpec, "path" | "field">,
  asked: { readonly parameters: URLSearchParams; readonly limit: number },
): AsyncGenerator<ListPage> {
  const parameters = new URLSearchParams(asked.parameters);
  let left = asked.limit;
  for (;;) {
    parameters.set("limit", String(Math.min(left, MAX_PAGE)));
    const page = await askPage(control, list, parameters);
    yield page;
    left -= page.rows.length;
    if (page.nextCursor === null || left <= 0) return;
    parameters.set("cursor", page.nextCursor);
  }
}
