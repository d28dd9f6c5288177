import { ApiProblem } from "../api/api-problem.ts";

/** Control serves the files of another version by now, so those of this one are gone. */
export class Upgraded extends Error {
  override readonly name = "Upgraded";
}

/** What is asked where a part has not come. `entry`: the address of the script with which this page began, as the page has it. */
export interface Served {
  readonly entry: string;
  readonly send: typeof fetch;
}

/** Loads a part of the console. Where that fails it throws why: `Upgraded`, or an `ApiProblem` that may pass. */
export async function loadPart<T>(
  load: () => Promise<T>,
  served: Served,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw (await isUpgraded(served))
      ? new Upgraded("Its files are those of another version now.", { cause })
      : new ApiProblem({
          status: 0,
          title: "A part of the console did not come",
          detail: "The request did not reach control, or was not answered.",
          cause,
        });
  }
}

/** Each build begins with a script of another name. */
async function isUpgraded({ entry, send }: Served): Promise<boolean> {
  try {
    const page = await send(".", { cache: "no-store", credentials: "omit" });
    return page.ok && !(await page.text()).includes(entry);
  } catch {
    return false;
  }
}
