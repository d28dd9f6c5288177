/** Reads a service's metrics page. */

/** The sum of a metric's series, or of those whose labels contain `labels`; null when there is none. */
export function metricOf(
  text: string,
  name: string,
  labels = "",
): number | null {
  let sum: number | null = null;
  for (const line of text.split("\n")) {
    if (!line.startsWith(name)) continue;
    const [series = "", value = ""] = line.split(/ (?=\S+$)/);
    const after = series[name.length];
    if ((after !== undefined && after !== "{") || !series.includes(labels))
      continue;
    sum = (sum ?? 0) + Number(value);
  }
  return sum;
}

/** The text of /metrics. Rejects when nobody answers. */
export async function fetchMetrics(adminUrl: string): Promise<string> {
  const response = await fetch(`${adminUrl}/metrics`, {
    signal: AbortSignal.timeout(2_000),
  });
  return await response.text();
}
