import { Text } from "./text.tsx";
import styles from "./card.module.css";

/** Nothing where there are none. */
export function HeaderTable({
  headers,
  title,
}: {
  readonly headers: Readonly<Record<string, string>>;
  readonly title: string;
}) {
  const all = Object.entries(headers);
  if (all.length === 0) return null;
  return (
    <table className={styles.headers}>
      <caption>{title}</caption>
      <tbody>
        {all.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">
              <Text>{name}</Text>
            </th>
            <td>
              <Text>{value}</Text>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
