/**
 * Is told what a stage runner does with offsets, as it happens. Fault runs use it: they compare the records that a crash
 * repeated with those that it may repeat. Without an observer there is no cost.
 */
export interface RunnerObserver {
  /**
   * The record is done: all that follows from it is acknowledged. `lastOffset` is given if the record stood for a batch that
   * could not be read: every offset up to there is done, too. Called synchronously, before a commit can carry this. Must not
   * throw.
   */
  completed(
    topic: string,
    partition: number,
    offset: number,
    lastOffset?: number,
  ): void;
  /**
   * The group has stored this commit for the partition. `offset` is the lowest open one; everything below it is done. What is
   * done above it follows from `decodeOffsetMetadata(metadata, offset)`: every offset below `next` that is in no open run. Must
   * not throw.
   */
  committed(
    topic: string,
    partition: number,
    offset: number,
    metadata: string,
  ): void;
}
