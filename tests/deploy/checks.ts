/** The checks of `npm run test:deploy`: each prints one line, and all are counted. */

export interface Checks {
  /** Runs one check; resolves to whether it passed. A part ends at the first failure that makes the rest senseless. */
  check(name: string, run: () => Promise<string | void>): Promise<boolean>;
  /** Notes what is not checked, and why. */
  skip(name: string, why: string): void;
  /** Prints the last line; true if nothing failed. */
  end(): boolean;
}

export function createChecks(): Checks {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  return {
    async check(name, run) {
      const startedAt = performance.now();
      const seconds = (): string =>
        ((performance.now() - startedAt) / 1000).toFixed(1);
      try {
        const detail = await run();
        passed += 1;
        const more = detail ? `: ${detail}` : "";
        console.log(`ok      ${name}${more} (${seconds()} s)`);
        return true;
      } catch (error) {
        failed += 1;
        console.log(`FAILED  ${name} (${seconds()} s)\n${inWords(error)}`);
        return false;
      }
    },
    skip(name, why) {
      skipped += 1;
      console.log(`skipped ${name}: ${why}`);
    },
    end() {
      if (skipped > 0) console.log(`${skipped} skipped, see above`);
      console.log(`${passed} passed, ${failed} failed`);
      return failed === 0;
    },
  };
}

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? error.message
    : `${error.message}\n${inWords(error.cause)}`;
}
