import { Button } from "@mantine/core";
import { useEffect, useState } from "react";

const SHOWN_MS = 2_000;

/** Copies a text. Where the page is not served over https the browser may refuse it, and the button says so. */
export function CopyButton({
  text,
  children,
}: {
  readonly text: string;
  readonly children: string;
}) {
  const [result, setResult] = useState<string | null>(null);
  useEffect(() => {
    if (result === null) return undefined;
    const timer = setTimeout(() => setResult(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [result]);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setResult("Copied");
    } catch {
      setResult("Not allowed by the browser");
    }
  }

  return (
    <Button variant="default" size="xs" onClick={() => void copy()}>
      <span aria-live="polite">{result ?? children}</span>
    </Button>
  );
}
