import { MedcloudletError } from "../../../base/index.ts";
import {
  type CaughtUp,
  createPreview,
  knownOfCard,
  type Preview,
  REGION_CONTENTS,
  stateOf,
} from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { Desk } from "./desk.ts";
import type { Done, FoundReader, PatientQuestions, Share, ShareTerms, ShownPreview } from "./questions.ts";

/** A handle as somebody typed it. */
export function plainHandle(typed: string): string {
  return typed.trim().toLowerCase();
}

/** Whether a fingerprint was compared before, and is the same still. */
export function knownAs(
  known: Readonly<Record<string, string>>,
  handle: string,
  fingerprint: string,
): FoundReader["known"] {
  return heldAgainst(Object.hasOwn(known, handle) ? known[handle] : undefined, fingerprint);
}

/** The same for a card, which says its handle itself. */
export function cardKnownAs(
  known: Readonly<Record<string, string>>,
  handle: string,
  fingerprint: string,
): FoundReader["known"] {
  return heldAgainst(knownOfCard(known, handle), fingerprint);
}

function heldAgainst(before: string | undefined, fingerprint: string): FoundReader["known"] {
  return before === undefined ? "never" : before === fingerprint ? "same" : "changed";
}

function doneOf({ epochs, wrapped, skipped }: CaughtUp): Done {
  return { newKeys: epochs.map(({ region }) => region), wrapped, skipped: skipped.length };
}

function shownRegion({
  region,
  contents,
  epochs,
  devices,
  record,
}: Preview["regions"][number]): ShownPreview["regions"][number] {
  const summed = (chosen: readonly Preview["regions"][number]["epochs"][number][]) => ({
    batches: chosen.reduce((sum, { held }) => sum + (held?.batches ?? 0), 0),
    firstTime: Math.min(...chosen.map(({ held }) => held?.firstTime ?? Number.POSITIVE_INFINITY)),
    lastTime: Math.max(...chosen.map(({ held }) => held?.lastTime ?? 0)),
  });
  const opening = summed(epochs.filter(({ opens }) => opens));
  const orNull = (time: number) => (Number.isFinite(time) && time > 0 ? time : null);
  return {
    ...{ region, contents },
    devices: devices.filter(({ revokedAt }) => revokedAt === null).length,
    opens: epochs.some(({ held }) => held === null)
      ? null
      : { ...opening, firstTime: orNull(opening.firstTime), lastTime: orNull(opening.lastTime) },
    closedBatches: summed(epochs.filter(({ opens }) => !opens)).batches,
    record: record === null ? "none" : record.opens ? "opens" : "later",
    had: epochs.some(({ had }) => had),
  };
}

export function createSharing(
  work: Work,
  desk: Desk,
): Answers<Pick<PatientQuestions, "shares" | "findReader" | "previewShare" | "share" | "revoke">> {
  const { clock, http, session, keys } = work;

  const boundsOf = ({ forMs }: ShareTerms) => {
    const from = clock.now();
    return { from, until: from + forMs };
  };

  return {
    async shares() {
      const given = await desk.look().owner.consents();
      const shares = given
        .sort((a, b) => b.consent.createdAt - a.consent.createdAt)
        .map(
          (entry): Share => ({
            consentId: entry.consent.consentId,
            who: entry.reader?.handle ?? null,
            fingerprint: entry.consent.readerFingerprint,
            regions: entry.consent.regions,
            purpose: entry.consent.purpose,
            from: entry.consent.from,
            until: entry.consent.until,
            fromNow: entry.consent.history === "from-now",
            state: stateOf(entry, clock),
            revokedAt: entry.revokedAt,
          }),
        );
      const read = new Set(shares.map(({ who }) => who));
      const known = Object.keys(work.contents.known).filter((handle) => read.has(handle));
      return { shares, known: known.sort() };
    },
    async findReader({ handle: typed }) {
      const handle = plainHandle(typed);
      const { fingerprint } = await desk.look().owner.lookUp(handle);
      const { role } = await session.lookUp(handle);
      return { handle, fingerprint, role, known: knownAs(work.contents.known, handle, fingerprint) };
    },
    async previewShare(terms) {
      const { owner } = desk.look();
      const begun = new Set(owner.epochs.map(({ region }) => region));
      const preview = await createPreview({
        ...{ clock, http, session, keys, owner, cloudUrl: work.places.cloudUrl },
      })({
        reader: plainHandle(terms.handle),
        regions: terms.regions.filter((region) => begun.has(region)),
        ...boundsOf(terms),
        ...(terms.fromNow ? { history: "from-now" } : {}),
      });
      const notBegun = terms.regions
        .filter((region) => !begun.has(region))
        .map((region): ShownPreview["regions"][number] => ({
          ...{ region, contents: REGION_CONTENTS[region], devices: 0, closedBatches: 0 },
          ...{ opens: { batches: 0, firstTime: null, lastTime: null }, record: "none", had: false },
        }));
      return {
        name: work.contents.name,
        from: preview.from,
        until: preview.until,
        regions: [...preview.regions.map(shownRegion), ...notBegun],
        standing: preview.standing
          .filter(({ state }) => state === "live" || state === "future")
          .map(({ consent: { regions, until } }) => ({ regions, until })),
      };
    },
    share: ({ fingerprint: given, ...terms }) =>
      desk.act(async ({ owner, emergency }) => {
        const handle = plainHandle(terms.handle);
        const fingerprint = given.replace(/\s+/g, "").toLowerCase();
        if (terms.regions.length === 0) {
          throw new MedcloudletError("SHARE_NOTHING", "Choose at least one part to share.", { status: 400 });
        }
        // Before anything is begun for somebody who is not who they should be.
        const found = await owner.lookUp(handle);
        if (found.fingerprint !== fingerprint) {
          throw new MedcloudletError(
            "READER_CHANGED",
            `The key that the KDC shows for ${handle} is not the one with the fingerprint you were told. Nothing was shared.`,
            { status: 409 },
          );
        }
        await owner.catchUp();
        await emergency.catchUp();
        for (const region of terms.regions) {
          if (!owner.epochs.some((epoch) => epoch.region === region)) {
            await owner.startEpoch(region);
          }
        }
        const consent = await owner.share({
          reader: handle,
          regions: terms.regions,
          purpose: terms.purpose,
          ...boundsOf(terms),
          ...(terms.fromNow ? { history: "from-now" } : {}),
          expectedFingerprint: fingerprint,
        });
        await desk.remember({ [handle]: consent.readerFingerprint });
        // Sharing without history has begun an epoch, of which the trustees have no shares yet.
        await emergency.catchUp();
        return { consentId: consent.consentId, until: consent.until };
      }),
    revoke: ({ consentId }) =>
      desk.protect(async ({ owner, emergency }) => {
        const done = await owner.revoke(consentId);
        const more = await owner.catchUp();
        await emergency.catchUp();
        return doneOf({
          epochs: [...done.epochs, ...more.epochs],
          wrapped: done.wrapped + more.wrapped,
          skipped: [...new Set([...done.skipped, ...more.skipped])],
        });
      }),
  };
}
