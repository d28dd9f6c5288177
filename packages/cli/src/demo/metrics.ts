/** What the tour reads from the metrics of its services. */

/** A service and the address of its admin port. */
export interface MetricsSource {
  readonly name: string;
  readonly adminUrl: string;
}

const TABLE_SIZE = /^postrider_table_entries\{[^}]*endpoints[^}]*\} (\d+)$/m;

/** The number of endpoints in each table of the `endpoints` topic: those of route and of deliver. */
export async function endpointTableSizes(
  services: readonly MetricsSource[],
): Promise<number[]> {
  const texts = [
    await metricsOf(services, "ingest"),
    await metricsOf(services, "dispatcher"),
  ];
  return texts.map((text) => Number(TABLE_SIZE.exec(text)?.[1] ?? 0));
}

/** How many circuit breakers the dispatcher has opened and closed. */
export async function breakerChanges(
  services: readonly MetricsSource[],
): Promise<{ opened: number; closed: number }> {
  const text = await metricsOf(services, "dispatcher");
  const count = (change: string): number =>
    Number(
      new RegExp(
        String.raw`^postrider_breakers_${change}_total\S* (\d+)$`,
        "m",
      ).exec(text)?.[1] ?? 0,
    );
  return { opened: count("opened"), closed: count("closed") };
}

async function metricsOf(
  services: readonly MetricsSource[],
  name: string,
): Promise<string> {
  const service = services.find((one) => one.name === name);
  if (service === undefined) throw new Error(`there is no service ${name}`);
  return await (await fetch(`${service.adminUrl}/metrics`)).text();
}
