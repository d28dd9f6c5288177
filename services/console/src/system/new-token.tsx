import { Button } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { NewApiKey } from "../api/answers-system.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Text } from "../parts/text.tsx";
import styles from "./system.module.css";

/** The token of a key that was just made. It is in no other answer, and in no cache: it is gone with this. */
export function NewToken({
  made,
  onDone,
}: {
  readonly made: NewApiKey;
  readonly onDone: () => void;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className={styles.token} aria-labelledby="token">
      <h2 id="token" tabIndex={-1} ref={heading}>
        The key <Text>{made.name}</Text> is made
      </h2>
      <p>
        Its token is shown here and now, and never again. Store it where secrets
        are kept.
      </p>
      <code>{made.token}</code>
      <div className={styles.actions}>
        <CopyButton text={made.token}>Copy the token</CopyButton>
        <Button size="xs" variant="default" onClick={onDone}>
          I have stored it
        </Button>
      </div>
    </section>
  );
}
