/** The words of the audit trail that the filters offer. Declared a second time, as the answers are; tests/console-answers.test.ts holds both lists against control's document. */
export const SUBJECTS = [
  "endpoint",
  "key",
  "replay",
  "event_type",
  "type_policy",
] as const;
export const ACTIONS = [
  "created",
  "changed",
  "secret_rotated",
  "secrets_reencrypted",
  "paused",
  "resumed",
  "disabled",
  "enabled",
  "deleted",
  "tested",
  "resume_cancelled",
  "resume_restarted",
  "revoked",
  "cancelled",
  "done",
  "left_out",
] as const;
