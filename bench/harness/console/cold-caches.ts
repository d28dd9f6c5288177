/** What ClickHouse remembers of earlier questions. */
import { execute } from "@postrider/testkit";

const CACHES = [
  "MARK",
  "UNCOMPRESSED",
  "INDEX MARK",
  "INDEX UNCOMPRESSED",
  "PRIMARY INDEX",
  "QUERY CONDITION",
  "MMAP",
  "QUERY",
];

/** It forgets all of it. The operating system's own cache of files stays. */
export async function coldCaches(url: string): Promise<void> {
  for (const cache of CACHES) await execute(url, `SYSTEM CLEAR ${cache} CACHE`);
}
