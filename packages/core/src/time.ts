/** Milliseconds since 1970-01-01T00:00:00Z, as in every `…At` field of code and Avro. */
export type EpochMs = number;

/** Milliseconds of a clock that never goes back and means nothing outside its process. */
export type MonotonicMs = number;
