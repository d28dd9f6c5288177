/** What the words of closed lists mean, for people. A word of a later version is shown as it is. */
type Words = Readonly<Record<string, string>>;

const DEFERRALS: Words = {
  not_before: "the event is not to be sent before that",
  breaker_open:
    "the endpoint failed so often that its circuit breaker keeps requests back",
  retry_after: "the endpoint asked for a pause (Retry-After)",
  rate_limited: "the endpoint's rate limit lets no more through",
  lane_slow: "more comes in for the endpoint than it answers",
  secret_unavailable: "a secret or a header of the endpoint cannot be used",
  endpoint_unknown: "the dispatcher does not know the endpoint yet",
  endpoint_behind:
    "the dispatcher has not read the endpoint's newest version yet",
  local_fault: "Postrider itself lacked something, such as sockets",
};

const DEAD_LETTERS: Words = {
  exhausted: "no further attempt is allowed",
  expired: "its time was over",
  gone: "the endpoint answered 410 Gone",
  endpoint_disabled: "the endpoint was disabled",
  endpoint_deleted: "the endpoint was deleted",
  blocked: "its address may not be called",
  unreadable: "its record could not be read",
  invalid: "it broke a rule",
  unknown_schema: "the schema of its record is not known",
  too_large: "its record was too large",
};

const NOT_NAMED: Words = {
  event_types: "do not want this type",
  created_later: "were created after that",
  changed_later: "want this type now, and were changed after that",
  not_read_yet: "were so new that they were not known yet",
};

const NOT_NAMED_ONE: Words = {
  event_types: "does not want this type",
  created_later: "was created after that",
  changed_later: "wants this type now, and was changed after that",
  not_read_yet: "was so new that it was not known yet",
};

export const deferralInWords = inWords(DEFERRALS);
export const deadLetterInWords = inWords(DEAD_LETTERS);

export function notNamedInWords(reason: string, count: number): string {
  return inWords(count === 1 ? NOT_NAMED_ONE : NOT_NAMED)(reason);
}

function inWords(words: Words): (word: string) => string {
  return (word) => words[word] ?? word;
}
