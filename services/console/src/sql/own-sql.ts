import type { Session } from "../session/session.ts";

/** Of the fragment. Links beyond it are cut by what people send them with. */
export const MAX_LINK_BYTES = 4 * 1_024;

/** The SQL as the page's search, or nothing of it where a link would be too long. */
export function inLink(sql: string): { readonly sql?: string } {
  return sql === "" || linkBytes(sql) > MAX_LINK_BYTES ? {} : { sql };
}

export function linkBytes(sql: string): number {
  return new URLSearchParams({ sql }).toString().length;
}

/** What is being written outlives a visit to another page, and not its session. */
const drafts = new WeakMap<Session, string>();

export function keptDraft(session: Session): string {
  return drafts.get(session) ?? "";
}

export function keepDraft(session: Session, sql: string): void {
  drafts.set(session, sql);
}
