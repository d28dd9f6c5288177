import { Button } from "@mantine/core";
import { Dialog } from "../parts/dialog.tsx";
import { PAGES } from "./pages.ts";
import styles from "./shell.module.css";

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["Ctrl K", "go to anything, or do it"],
  ["/", "search"],
  ["j  k", "next and previous row"],
  ["Enter", "open the row"],
  ...PAGES.map(({ key, name }) => [`g ${key}`, `go to ${name}`] as const),
  ["Esc", "close a dialog"],
  ["?", "this help"],
];

export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.keys}>
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(/ +/).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <Button variant="default" onClick={onClose}>
        Close
      </Button>
    </Dialog>
  );
}
