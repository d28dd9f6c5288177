/**
 * Hears what a stage runner did with offsets, as it happens: for the ledgers of fault runs, which compare what a crash repeated
 * with what it may have repeated. Absent, it costs nothing.
 */
export interface RunnerObserver {
  /**
   * The record is done: all that follows from it is acknowledged. `lastOffset` where it stood for a batch that could not be
   * read: all up to there is done with it. Called synchronously, before any commit can say so. Must not throw.
   */
  completed(
    topic: string,
    partition: number,
    offset: number,
    lastOffset?: number,
  ): void;
  /**
   * The group has stored this for the partition: `offset` is the lowest open one, and everything below it is done; what else is
   * done stands in `metadata` (`decodeOffsetMetadata(metadata, offset)`: below `next` all that is in no open run). Must not throw.
   */
  committed(
    topic: string,
    partition: number,
    offset: number,
    metadata: string,
  ): void;
}
