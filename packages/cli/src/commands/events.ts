import { Command } from "commander";
import { findAddresses } from "../addresses.ts";
import { callApi, type ApiAddress } from "../api.ts";
import { command, type Run } from "../command.ts";
import { renderEvent, type EventView } from "../publish/event-view.ts";

export function eventsCommand(run: Run): Command {
  const get = command<{ tenant?: string }>(
    run,
    "get <id>",
    "one event: what was decided, its deliveries and every attempt",
    async ({ args, options, terminal }) => {
      const event = await readEvent(findAddresses().control(), {
        id: args[0] ?? "",
        tenantId: options.tenant,
      });
      terminal.data(event, () => renderEvent(event, terminal));
    },
  ).option("--tenant <id>", "needed where several tenants use the id");
  return new Command("events")
    .description("what was published")
    .addCommand(get);
}

/** Throws `CliError` with exit code 4 while the event is not recorded. */
export async function readEvent(
  control: ApiAddress,
  event: { readonly id: string; readonly tenantId?: string | undefined },
): Promise<EventView> {
  const query =
    event.tenantId === undefined
      ? ""
      : `?tenantId=${encodeURIComponent(event.tenantId)}`;
  return (await callApi(control, {
    method: "GET",
    path: `/v1/events/${encodeURIComponent(event.id)}${query}`,
  })) as EventView; // control's contract
}
