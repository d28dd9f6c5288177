/** How requests name an endpoint and its version. */
import { pathSegment } from "./api.ts";

export function pathOf(id = ""): string {
  return `/v1/endpoints/${pathSegment(id)}`;
}

/** The header that makes a write depend on the version; none where no version was given. */
export function matching(version: number | undefined): Record<string, string> {
  return version === undefined ? {} : { "if-match": `"${version}"` };
}
