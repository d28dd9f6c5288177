/**
 * Makes of a migration's statement the one for a cluster: run on every replica, tables replicated. Which settings a replicated table
 * needs is docs/adr/0032. The text is changed by its form, which every migration has; a statement of another form throws, because it would
 * otherwise be run on one replica only.
 */

/** What Keeper calls the table. ClickHouse fills in the table's id, and each server's `{shard}` and `{replica}` from its configuration. */
const PATH = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'";

/**
 * Parts that a table remembers, of each shard. A replicated table forgets them by age as well, by default after an hour; an insert may be
 * repeated for as long as its records are in Kafka, of which `dead-letters` are kept longest.
 */
const WINDOW = {
  one: /\bnon_replicated_deduplication_window = (\d+)/,
  many: "replicated_deduplication_window = $1, replicated_deduplication_window_seconds = 2592000",
};

const HEAD =
  /^(CREATE TABLE IF NOT EXISTS|CREATE MATERIALIZED VIEW IF NOT EXISTS|CREATE VIEW IF NOT EXISTS|ALTER TABLE) (\S+)/;
const ENGINE = /\bENGINE = (\w+)(?:\(([^)]*)\))?/;
/** Each of them keeps its rows sorted in parts, and has a replicated sibling. */
const MERGE_TREE = /^(Replacing|Aggregating|Summing|Collapsing)?MergeTree$/;

/** `cluster` is a name that `clusterName` has accepted. */
export function onCluster(statement: string, cluster: string): string {
  const { comments, code } = split(statement);
  const head = HEAD.exec(code);
  if (head === null) throw unknown("how it begins", code);
  const placed = code.replace(HEAD, `$1 $2 ${onClusterClause(cluster)}`);
  if (head[1] === "CREATE TABLE IF NOT EXISTS")
    return comments + replicated(placed);
  if (head[1] !== "ALTER TABLE") return comments + placed;
  return comments + awaited(placed.replace(WINDOW.one, WINDOW.many));
}

export function onClusterClause(cluster: string): string {
  return `ON CLUSTER '${cluster}'`;
}

function replicated(createTable: string): string {
  const [whole, engine = "", args] = ENGINE.exec(createTable) ?? [];
  if (whole === undefined || !MERGE_TREE.test(engine))
    throw unknown("its engine", createTable);
  const parameters = args ? `${PATH}, ${args}` : PATH;
  return createTable
    .replace(whole, () => `ENGINE = Replicated${engine}(${parameters})`)
    .replace(WINDOW.one, WINDOW.many);
}

/**
 * The next statement may need what this one adds, on a replica that has not got it yet. A view is no table of parts: its change is done when
 * it is answered, and a setting at its end would be its query's. Nothing needs an index that is filled, and its statement has settings.
 */
function awaited(alterTable: string): string {
  return /\b(?:MODIFY QUERY|MATERIALIZE INDEX)\b/.test(alterTable)
    ? alterTable
    : `${alterTable}\nSETTINGS alter_sync = 2`;
}

/** A migration's comments come before its statement. */
function split(statement: string): { comments: string; code: string } {
  const comments = /^(?:[ \t]*(?:--.*)?\n)*/.exec(statement)?.[0] ?? "";
  return { comments, code: statement.slice(comments.length) };
}

function unknown(what: string, code: string): Error {
  return new Error(
    `no form for a cluster is known of this statement (${what}): ${code.split("\n")[0] ?? ""}`,
  );
}

const CLUSTER_NAME = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}|\{cluster\})$/;

/** Accepts the name of a cluster of ClickHouse's `remote_servers`, or `{cluster}`, the macro that many installations have for it. */
export const clusterName = Object.assign(
  (text: string): string => {
    const name = text.trim();
    if (!CLUSTER_NAME.test(name))
      throw new Error(
        "must be a cluster's name: letters, digits, _, . and -, or {cluster}",
      );
    return name;
  },
  { expects: "letters, digits, _, . and -, or {cluster}" },
);
