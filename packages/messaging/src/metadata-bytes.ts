/** How much metadata the brokers take with a commit. */

/** The longest metadata that the broker stores (`offset.metadata.max.bytes`, its default), in characters. */
export const METADATA_LIMIT_CHARS = 4096;

/** The brokers' setting. A commit's metadata lists the open offsets; Kafka's default is what it needs. */
export const METADATA_BYTES = "offset.metadata.max.bytes";

/** What is wrong with a value of `METADATA_BYTES`, and what to change; null if it is enough. */
export function lackOfMetadataBytes(
  value: string,
): { readonly detail: string; readonly next: string } | null {
  if (Number(value) >= METADATA_LIMIT_CHARS) return null;
  return {
    detail: `${value}: a commit needs up to ${METADATA_LIMIT_CHARS}`,
    next: `Set ${METADATA_BYTES}=${METADATA_LIMIT_CHARS} on every broker.`,
  };
}
