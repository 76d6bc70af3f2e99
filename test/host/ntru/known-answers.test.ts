import { expect, it } from "vitest";
import { loadNtru, NTRU_PARAMETERS, type NtruSetName } from "../../../host/ntru/index.ts";
import { KNOWN_ANSWER_DIGESTS, knownAnswersDigest } from "../../vectors/known-answers.ts";
import { NistDrbg } from "../../vectors/nist-drbg.ts";

it.each(Object.keys(NTRU_PARAMETERS) as NtruSetName[])("official known answers of %s", async (name) => {
  const digest = knownAnswersDigest(await loadNtru(name), name, (entropy) => new NistDrbg(entropy));
  expect(digest).toBe(KNOWN_ANSWER_DIGESTS[name]);
});
