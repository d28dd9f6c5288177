import type { FaultCase } from "../case.ts";
import { brokerDownAtBoot, brokerFrozen, brokerKilled } from "./broker.ts";
import { cleanStop } from "./clean-stop.ts";
import { clickhouseFrozen, clickhouseKilled } from "./clickhouse.ts";
import { dispatcherKilled } from "./dispatcher-killed.ts";
import { membersChange } from "./members-change.ts";
import { SERVICES_KILLED } from "./service-killed.ts";
import { zombie } from "./zombie.ts";

/** In the order in which they run. */
export const CASES: readonly FaultCase[] = [
  dispatcherKilled,
  ...SERVICES_KILLED,
  cleanStop,
  zombie,
  brokerKilled,
  brokerFrozen,
  brokerDownAtBoot,
  clickhouseKilled,
  clickhouseFrozen,
  membersChange,
];
