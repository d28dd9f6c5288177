import { lookup } from "node:dns/promises";
import { Option, type Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { command, type Run } from "../command.ts";
import {
  findAddressPolicy,
  type PolicySetting,
} from "../doctor/address-policy-of.ts";
import {
  reportAddress,
  type AddressReport,
  type LookUp,
} from "../doctor/address-report.ts";
import { worstOf } from "../doctor/finding.ts";
import { renderFindings } from "../doctor/render-findings.ts";
import { SERVICES, type ServiceName } from "../processes/service-process.ts";
import { visible, type Terminal } from "../terminal.ts";
import { rollUpsCommand } from "./doctor-roll-ups.ts";

interface DoctorOptions {
  readonly as?: ServiceName;
}

export function doctorCommand(run: Run): Command {
  return command<DoctorOptions>(
    run,
    "doctor",
    "find out why something does not work: checks the settings, Kafka, ClickHouse, the registry, and the services of `dev`; changes nothing",
    async ({ options, terminal }) => await stack(options.as ?? null, terminal),
  )
    .addOption(
      new Option(
        "--as <service>",
        "with the environment of this service: whether its user has the service's rights in Kafka and its grants in ClickHouse",
      ).choices(SERVICES),
    )
    .addHelpText(
      "after",
      "\nExit codes: the worst of 0 fine or warnings · 1 something is wrong · 2 settings that cannot be read · 3 something cannot be reached",
    )
    .addCommand(
      command(
        run,
        "address <url>",
        "whether deliveries may go to a URL: what its name resolves to, what the policy says of each address, and what to do",
        async ({ args, terminal }) => await address(args[0] ?? "", terminal),
      ).addHelpText(
        "after",
        "\nThe policy is that of POSTRIDER_ALLOW_HTTP, POSTRIDER_ALLOW_CIDRS and POSTRIDER_DENY_CIDRS here, else of the `dev` that runs in this folder or above.\nExit codes: 0 allowed · 2 no URL · 3 the name cannot be resolved · 5 refused",
      ),
    )
    .addCommand(rollUpsCommand(run));
}

async function stack(
  as: ServiceName | null,
  terminal: Terminal,
): Promise<ExitCode> {
  const { checkStack } = await import("../doctor/stack-report.ts"); // loaded here only: Kafka's client, which `doctor address` does not need
  const findings = await checkStack(as);
  const exitCode = worstOf(findings);
  terminal.data({ ok: exitCode === EXIT.done, findings }, () =>
    renderFindings(findings, terminal),
  );
  return exitCode;
}

const EXIT_OF = {
  allowed: EXIT.done,
  refused: EXIT.refused,
  unresolved: EXIT.unreachable,
} as const;

const NOTE =
  "Looked up by this machine's getaddrinfo. The dispatcher asks DNS itself, with the hosts file and the search domains of its own machine, at each new connection: it may see other addresses.";

async function address(url: string, terminal: Terminal): Promise<ExitCode> {
  if (!URL.canParse(url))
    throw new CliError(EXIT.usage, `${visible(url)} is not a URL.`, {
      next: "npx postrider doctor address https://example.com/hooks",
    });
  const { policy, settings } = findAddressPolicy();
  const report = await reportAddress(url, policy, systemLookUp);
  terminal.data({ ...report, settings, note: NOTE }, () =>
    render(report, settings, terminal),
  );
  if (report.host !== null && report.addresses[0]?.address !== report.host)
    terminal.say(NOTE);
  return EXIT_OF[report.verdict];
}

/** IPv4 first, as the dispatcher tries them. */
const systemLookUp: LookUp = async (host) =>
  (await lookup(host, { all: true, order: "ipv4first" })).map(
    (found) => found.address,
  );

const STYLE = {
  allowed: "green",
  refused: "red",
  unresolved: "yellow",
} as const;

function render(
  report: AddressReport,
  settings: readonly PolicySetting[],
  terminal: Terminal,
): string {
  const { verdict, urlRefusal, addresses } = report;
  const width = Math.max(3, ...addresses.map((each) => each.address.length));
  const row = (what: string, isAllowed: boolean, why: string): string =>
    `  ${what.padEnd(width)}  ${isAllowed ? "allowed" : "refused"}: ${why}`;
  return [
    `${terminal.paint(STYLE[verdict], verdict)}  ${visible(report.url)}`,
    `  ${report.why}`,
    urlRefusal === null
      ? row("URL", true, urlNote(report))
      : row("URL", false, `${urlRefusal.message} (rule ${urlRefusal.rule})`),
    ...addresses.map((each) => row(each.address, each.mayBeCalled, each.why)),
    ...settings.map(
      ({ variable, value, from, shell }) =>
        `  ${variable}=${visible(value ?? "")}  (${from}${shell === null ? "" : `; this shell sets ${visible(shell)}, which the running dev does not use`})`,
    ),
    ...report.warnings.map(
      (text) => `${terminal.paint("yellow", "warning:")} ${text}`,
    ),
    ...report.next.map((step) => `next: ${step}`),
  ].join("\n");
}

function urlNote({ host, isLocalName }: AddressReport): string {
  return isLocalName
    ? `${host} is a local name; its addresses decide`
    : "nothing against it";
}
