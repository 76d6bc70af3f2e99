import { z } from "zod";
import type { Routes } from "../identity/index.ts";
import { idSchema, studyIdSchema } from "../sealing/index.ts";
import type { Consents } from "./consents.ts";
import type { OpenAccounts } from "./open-accounts.ts";
import { consentMissing } from "./stream-access.ts";

const BY_CONSENT = z.strictObject({ consentId: idSchema });
const USE = z
  .strictObject({
    release: idSchema,
    study: studyIdSchema,
    k: z.number().int().min(2),
    people: z.number().int().positive(),
  })
  .refine(({ k, people }) => people >= k, "fewer people than k");

/**
 * Where a reader for research says what became of a patient's record: the entry in that patient's log is all that it does.
 * Whoever ended the consent meanwhile is told nothing, and the reader learns it before anything is given out.
 */
export function addConsentUseRoute(
  routes: Routes,
  { consents, open }: { readonly consents: Consents; readonly open: OpenAccounts },
): void {
  routes.session({
    method: "post",
    path: "/consents/:consentId/uses",
    action: "consent.use",
    params: BY_CONSENT,
    body: USE,
    relation: async ({ account, params: { consentId } }) =>
      (await consents.live(consentId, account._id)) === null ? "other" : "granted",
    // An unknown consent and somebody else's look alike, so that ids cannot be probed.
    refusal: consentMissing,
    async handle({ account, params: { consentId }, body: { release, study, k, people }, concerning }) {
      const record = await consents.live(consentId, account._id);
      if (record === null || !(await open.isOpen(record.owner))) {
        throw consentMissing();
      }
      concerning({ owner: record.owner, object: consentId, details: { release, study, k, people } });
      return { status: 201, json: { consentId, release } };
    },
  });
}
