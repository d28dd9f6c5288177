/** Who asked for an attempt: `redrive rpl_1`. Empty for a delivery's usual attempts, whose number says it. */
export function madeBy(trigger: string, replayId = ""): string {
  return trigger === "first" || trigger === "retry"
    ? ""
    : `${trigger} ${replayId}`.trim();
}
