import type { FaultCase } from "../case.ts";
import { backfill } from "./backfill.ts";
import { breaker } from "./breaker.ts";
import { brokerSilent } from "./broker-silent.ts";
import { brokerDownAtBoot, brokerFrozen, brokerKilled } from "./broker.ts";
import { cleanStop } from "./clean-stop.ts";
import {
  clickhouseAnswerLost,
  clickhouseFrozen,
  clickhouseKilled,
  clickhouseReadOnly,
  clickhouseRefusing,
} from "./clickhouse.ts";
import {
  brokerLost,
  coordinatorMoved,
  leaderMoved,
  outputSilent,
  partialProduce,
} from "./cluster.ts";
import { doorKilled } from "./door-killed.ts";
import { dispatcherKilled } from "./dispatcher-killed.ts";
import { duplicates } from "./duplicates.ts";
import { farTwins } from "./far-twins.ts";
import { garbage } from "./garbage.ts";
import { hangingRequest } from "./hanging-request.ts";
import { membersChange } from "./members-change.ts";
import { missingTopics } from "./missing-topics.ts";
import { commitGarbage, offsetsOutOfRange } from "./offsets.ts";
import { pauseResume } from "./pause-resume.ts";
import { poison } from "./poison.ts";
import { rateLimited } from "./rate-limited.ts";
import { registryDown } from "./registry.ts";
import { replay } from "./replay.ts";
import { rollingUpgrade } from "./rolling-upgrade.ts";
import { rotation } from "./rotation.ts";
import { sameSecond } from "./same-second.ts";
import { SERVICES_KILLED } from "./service-killed.ts";
import { tooLarge } from "./too-large.ts";
import { zombie } from "./zombie.ts";

/** All cases, in the order in which they run. */
export const CASES: readonly FaultCase[] = [
  dispatcherKilled,
  ...SERVICES_KILLED,
  duplicates,
  doorKilled,
  farTwins,
  pauseResume,
  replay,
  backfill,
  rotation,
  cleanStop,
  zombie,
  brokerKilled,
  brokerFrozen,
  brokerDownAtBoot,
  clickhouseKilled,
  clickhouseFrozen,
  membersChange,
  rollingUpgrade,
  tooLarge,
  hangingRequest,
  commitGarbage,
  offsetsOutOfRange,
  missingTopics,
  sameSecond,
  breaker,
  rateLimited,
  clickhouseAnswerLost,
  clickhouseRefusing,
  clickhouseReadOnly,
  garbage,
  poison,
  registryDown,
  leaderMoved,
  coordinatorMoved,
  partialProduce,
  outputSilent,
  brokerLost,
  brokerSilent,
];
