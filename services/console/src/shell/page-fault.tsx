import { Button } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import styles from "../parts/notices.module.css";
import { Failure } from "../parts/notices.tsx";
import { Upgraded } from "./load-part.ts";

/** In the place of a page that cannot be shown. The way to others stays. */
export function PageFault({
  error,
  reset,
}: {
  readonly error: unknown;
  readonly reset: () => void;
}) {
  const router = useRouter();
  if (error instanceof Upgraded) return <Upgrade />;
  return (
    <Failure
      error={error}
      onRetry={() => void router.invalidate().then(reset)}
    />
  );
}

/** It is left to the reader: a reload takes the key, and what is typed, out of the tab's memory. */
function Upgrade() {
  return (
    <div className={styles.notice} role="alert">
      <h2>The console was upgraded</h2>
      <p>
        This tab still has the version from before, and a part of it that was
        not loaded yet is gone. Reload it, and sign in again: you come back to
        this page.
      </p>
      <Button onClick={() => location.reload()}>Reload</Button>
    </div>
  );
}
