import { expect, test } from "@jest/globals";
import { sealSentences } from "./seal-sentences.ts";

const ALL = { newest: "k2", remaining: 0, missing: 0, plainHeaders: 0 };

test.each([
  [{}, ["Everything is sealed with the newest key, k2."]],
  [
    { remaining: 1 },
    [
      "1 secret or header value an older key has sealed: seal anew before that key is taken away.",
    ],
  ],
  [
    { plainHeaders: 2, missing: 3 },
    [
      "2 header values no key has sealed yet: an older version wrote them. Seal anew.",
      "3 secrets or header values cannot be opened here: give control the key that is missing below.",
    ],
  ],
])("how far all is sealed: %j", (more, said) => {
  expect(sealSentences({ ...ALL, ...more })).toEqual(said);
});
