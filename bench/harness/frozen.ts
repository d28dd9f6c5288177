/** Runs `act` while the process stands still (SIGSTOP), so that what is written meanwhile is there when it goes on. */
export async function frozen(
  pid: number,
  act: () => Promise<void>,
): Promise<void> {
  process.kill(pid, "SIGSTOP");
  try {
    await act();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}
