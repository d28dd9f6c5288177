import { Text } from "../parts/text.tsx";

/** What the last attempt was answered: its status code; without one, what it showed. */
export function LastAnswer({
  statusCode,
  outcome,
}: {
  readonly statusCode: number | null;
  readonly outcome: string | null;
}) {
  if (statusCode !== null) return <>{statusCode}</>;
  if (outcome === null) return <>–</>;
  return <Text>{outcome.replaceAll("_", " ")}</Text>;
}
