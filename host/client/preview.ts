import { z } from "zod";
import { bareUrl, type Clock, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import type { Consent, Epoch, Region } from "../sealing/index.ts";
import type { HttpClient } from "./http.ts";
import type { HeldTicket, KdcSession } from "./kdc-client.ts";
import { type ConsentState, type GivenConsent, stateOf } from "./own-consents.ts";
import type { OwnDevice, OwnedEpoch, Owner } from "./owner.ts";
import type { PersonKeys } from "./person-keys.ts";
import { verifyRecordParts } from "./record-statements.ts";

/** What each region is made of, in words for people. */
export const REGION_CONTENTS: Readonly<Record<Region, readonly string[]>> = {
  identity: ["name", "address", "contacts", "identifiers"],
  profile: ["year of birth", "sex", "postcode", "marital status", "languages", "race and ethnicity"],
  medical: ["vital signs", "notes", "diagnoses", "medications", "procedures", "immunizations"],
};

/** One epoch as a consent would or would not open it. */
export interface PreviewEpoch {
  readonly number: number;
  /** ms since 1970 UTC, by the clock of the machine that made it. */
  readonly began: number;
  /** When the next one began; null while it runs. */
  readonly ended: number | null;
  /** The consent would give the reader this epoch's key. */
  readonly opens: boolean;
  /** An earlier or other consent gave the reader this key already. */
  readonly had: boolean;
  /** What the cloud holds, as the cloud says; null where it could not be asked. */
  readonly held: {
    readonly batches: number;
    readonly firstTime: number | null;
    readonly lastTime: number | null;
  } | null;
}

export interface PreviewRegion {
  readonly region: Region;
  /** What this kind of region is made of. */
  readonly contents: readonly string[];
  readonly epochs: readonly PreviewEpoch[];
  /** A new epoch would begin, and it alone would open. */
  readonly startsNewEpoch: boolean;
  /** Devices that write into the region's stream. */
  readonly devices: readonly OwnDevice[];
  /** The record's part of this region; null where nothing was saved yet. */
  readonly record: {
    readonly version: number;
    /** ms since 1970 UTC. */
    readonly savedAt: number;
    /** Number of the epoch that it is sealed to. */
    readonly epoch: number;
    /** The consent would open it. One without history does once the owner has saved it again. */
    readonly opens: boolean;
  } | null;
}

/** What somebody would see under a consent that is not given yet. */
export interface Preview {
  readonly reader: string | null;
  readonly from: number;
  readonly until: number;
  readonly regions: readonly PreviewRegion[];
  /** Consents that the reader has or had. */
  readonly standing: readonly { readonly consent: Consent; readonly state: ConsentState }[];
}

/** What a later revocation does not undo, in words for people. */
export const IRREVOCABLE = [
  "What was read stays read: nothing takes back a copy, a photograph or a memory.",
  "Keys that were handed out go on opening what was sealed to their epochs, if the reader gets at the sealed data.",
  "A ticket that is out can be used for up to five minutes more.",
  "A wearable hears of a new epoch with its next ticket, within an hour, and seals to the old one until then.",
] as const;

const RECORD_PARTS = z.object({ recordParts: z.array(z.string()) });
const SUMMARY = z.object({
  batches: z.number().int().nonnegative(),
  firstTime: z.number().nullable(),
  lastTime: z.number().nullable(),
});

/** Whether a consent gave its reader an epoch's key, as far as signed statements tell. */
function gave({ consent, revokedAt }: GivenConsent, epoch: Epoch, successor: Epoch | undefined): boolean {
  const end = Math.min(consent.until, revokedAt ?? Number.POSITIVE_INFINITY);
  return (
    consent.regions.includes(epoch.region) &&
    end > consent.from &&
    epoch.createdAt < end &&
    (consent.history !== "from-now" || successor === undefined || successor.createdAt > consent.from)
  );
}

/** Answers "what would this reader see?" before anything is shared. */
export function createPreview(options: {
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly cloudUrl: string;
  readonly owner: Owner;
}) {
  const { clock, http, session, keys, owner } = options;
  const streamsUrl = `${bareUrl(options.cloudUrl)}/v1/streams`;
  const tickets = new Map<string, HeldTicket>();

  const heldOf = async ({ streamId, epochId }: OwnedEpoch): Promise<PreviewEpoch["held"]> => {
    try {
      const ticket = tickets.get(streamId) ?? (await session.readTicket(streamId, keys.signing));
      tickets.set(streamId, ticket);
      const answer = await http.json({
        method: "GET",
        url: `${streamsUrl}/${streamId}/summary?epochId=${epochId}`,
        credentials: ticket,
      });
      return SUMMARY.safeParse(answer).data ?? null;
    } catch (error) {
      // The cloud being away must not keep anybody from seeing what they are about to share.
      if (isMedcloudletError(error) && error.status >= 500) {
        return null;
      }
      throw error;
    }
  };

  /**
   * @param input.reader handle; absent: anybody who has nothing yet
   * @throws MedcloudletError `ACCOUNT_UNKNOWN`, `EPOCH_MISSING`
   */
  return async function preview(input: {
    readonly reader?: string;
    readonly regions: readonly Region[];
    readonly from: number;
    readonly until: number;
    readonly history?: Consent["history"];
  }): Promise<Preview> {
    const { reader, regions, from, until, history } = input;
    const account = reader === undefined ? null : await owner.lookUp(reader);
    const given = (account === null ? [] : await owner.consents()).filter(
      ({ consent }) => consent.reader === account?.accountId,
    );
    const published = await owner.publishedEpochs();
    const devices = await owner.devices();
    const startsNewEpoch = history === "from-now";
    const { recordParts } = await session.call(RECORD_PARTS, { method: "GET", path: "/record-parts" });
    const self = { id: session.account.accountId, signingKey: keys.signing.publicKey };
    const saved = await verifyRecordParts(recordParts, self, published);

    const recordOf = (region: Region): PreviewRegion["record"] => {
      const part = saved.get(region);
      const number = part === undefined ? undefined : published.get(part.epochId)?.number;
      return part === undefined || number === undefined
        ? null
        : { version: part.version, savedAt: part.createdAt, epoch: number, opens: !startsNewEpoch };
    };

    const previewRegion = async (region: Region): Promise<PreviewRegion> => {
      const own = owner.epochs.filter((epoch) => epoch.region === region && published.has(epoch.epochId));
      if (own.length === 0) {
        throw new MedcloudletError(
          "EPOCH_MISSING",
          `There is no epoch of the region ${region} yet: start one with \`medcloudlet keys epoch --region ${region}\`.`,
          { status: 409 },
        );
      }
      const epochs: PreviewEpoch[] = [];
      for (const [i, epoch] of own.entries()) {
        const statement = published.get(epoch.epochId) as Epoch;
        const successor =
          own[i + 1] === undefined ? undefined : published.get((own[i + 1] as OwnedEpoch).epochId);
        epochs.push({
          number: epoch.number,
          began: statement.createdAt,
          ended: successor?.createdAt ?? null,
          opens: !startsNewEpoch,
          had: given.some((consent) => gave(consent, statement, successor)),
          held: await heldOf(epoch),
        });
      }
      return {
        region,
        contents: REGION_CONTENTS[region],
        epochs,
        startsNewEpoch,
        devices: devices.filter(({ enrolment }) => enrolment.region === region),
        record: recordOf(region),
      };
    };

    const previewed: PreviewRegion[] = [];
    for (const region of regions) {
      previewed.push(await previewRegion(region));
    }
    return {
      reader: reader ?? null,
      from,
      until,
      regions: previewed,
      standing: given.map(({ consent, revokedAt }) => ({
        consent,
        state: stateOf({ consent, revokedAt }, clock),
      })),
    };
  };
}
