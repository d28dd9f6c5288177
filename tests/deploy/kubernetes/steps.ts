import type { Checks } from "../checks.ts";

/** A named check. Returns what was seen, in a few words; throws if it fails. */
export interface Step<World> {
  readonly name: string;
  run(world: World): Promise<string>;
}

/** Runs the steps in order. Each one builds on those before, so those after one that fails are skipped. `explain` returns what helps to find out why a step failed. Resolves to whether all passed. */
export async function runSteps<World>(
  steps: readonly Step<World>[],
  world: World,
  {
    checks,
    explain,
  }: { readonly checks: Checks; readonly explain: () => Promise<string> },
): Promise<boolean> {
  let failed: string | null = null;
  for (const step of steps) {
    if (failed !== null) checks.skip(step.name, `"${failed}" failed`);
    else if (!(await checks.check(step.name, () => step.run(world)))) {
      failed = step.name;
      console.log(await explain());
    }
  }
  return failed === null;
}
