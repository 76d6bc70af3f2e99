import {
  type Bytes,
  type Clock,
  createInTurn,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
} from "../base/index.ts";
import {
  CONSENT,
  type Consent,
  DEVICE_REVOCATION,
  ENROLMENT,
  type Enrolment,
  type Epoch,
  fingerprint,
  identityKeys,
  REVOCATION,
  type Region,
  type SealingSuite,
  signStatement,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";
import { fetchConsent, fetchConsents, fetchDevices, revokeConsent, revokeDevice } from "./kdc-consents.ts";
import { type GivenConsent, verifyGiven } from "./own-consents.ts";
import { createOwnEpochs, type OwnedEpoch } from "./own-epochs.ts";
import type { PersonKeys } from "./person-keys.ts";
import type { KeptRevocation, RevocationMemory } from "./revocations.ts";
import { createWrap, rewrapEpoch } from "./rewrap.ts";

export type { OwnedEpoch } from "./own-epochs.ts";

/** What was done so that the remaining readers, and nobody else, go on reading. */
export interface CaughtUp {
  /** Epochs that began. */
  readonly epochs: readonly OwnedEpoch[];
  /** Keys that were wrapped for remaining readers. */
  readonly wrapped: number;
  /** Consents whose reader has another key now than the consent names: share with them anew. */
  readonly skipped: readonly string[];
}

/** A reader as they showed themselves, to be held to the fingerprint that was compared with them. */
export interface KnownReader {
  readonly handle: string;
  readonly accountId: string;
  readonly fingerprint: string;
  readonly receivingKey: Bytes;
}

/** A device of the owner's. */
export interface OwnDevice {
  readonly enrolment: Enrolment;
  readonly revokedAt: number | null;
}

/** What a patient does with their own data. Private keys never leave this object unwrapped. */
export interface Owner {
  readonly epochs: readonly OwnedEpoch[];
  /** What the KDC has of them, by epoch id, verified. */
  publishedEpochs(): Promise<ReadonlyMap<string, Epoch>>;
  /**
   * Starts the next epoch of a region: keeps its private half, then publishes the public one. Readers get its key by
   * `catchUp`, which belongs behind it.
   */
  startEpoch(region: Region): Promise<OwnedEpoch>;
  /** Lets a device write into the region's stream. @throws MedcloudletError `EPOCH_MISSING` */
  enrolDevice(input: {
    deviceId: string;
    signingKey: Bytes;
    region: Region;
    until: number;
  }): Promise<{ streamId: string }>;
  devices(): Promise<OwnDevice[]>;
  /**
   * Ends a device for good: no ticket any more, and readers refuse readings from after this moment. Readings that
   * its key back-dates are beyond this.
   * @throws MedcloudletError `DEVICE_NOT_FOUND`
   */
  revokeDevice(deviceId: string): Promise<void>;
  /** Finds a doctor and says what to compare before sharing. */
  lookUp(handle: string): Promise<{ accountId: string; fingerprint: string; receivingKey: Bytes }>;
  /**
   * Signs a consent and wraps the regions' epoch keys to the reader: those of all epochs so far, or, with
   * `from-now`, that of a new epoch alone (the other readers get its key too).
   * @throws MedcloudletError `READER_CHANGED` when the reader's key is not the one expected, `EPOCH_MISSING`
   */
  share(input: {
    /** Their handle; or all that is known of them, where the directory does not list them: patients. */
    reader: string | KnownReader;
    regions: readonly Region[];
    purpose: Consent["purpose"];
    from: number;
    until: number;
    history?: Consent["history"];
    /** Fingerprint of the reader as the reader told it; a different one from the KDC is refused. */
    expectedFingerprint: string;
  }): Promise<Consent>;
  /** Every consent given, checked. */
  consents(): Promise<GivenConsent[]>;
  /**
   * Ends a consent at once, then starts a new epoch of each of its regions and wraps its key for the readers who
   * remain. Cut off anywhere, `catchUp` or another call finishes it. What was read, and what older keys open, the
   * reader keeps; tickets that are out live up to five minutes.
   * @throws MedcloudletError `CONSENT_UNKNOWN`
   */
  revoke(consentId: string, onWrapped?: (count: number) => void): Promise<CaughtUp>;
  /**
   * Finishes what was cut off or is due: untold revocations, new epochs where somebody whose consent is over may
   * hold the newest key, wrapped keys that remaining readers lack.
   */
  catchUp(onWrapped?: (count: number) => void): Promise<CaughtUp>;
}

export function createOwner(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly name: string;
  readonly epochs: readonly OwnedEpoch[];
  /** Keeps all epochs safe. Called before a new one is published: what is sealed to a lost key is lost. */
  readonly keepEpochs: (epochs: readonly OwnedEpoch[]) => Promise<void>;
  /** Without it revocations are remembered as long as this object lives. */
  readonly revocations?: RevocationMemory;
}): Owner {
  const { suite, clock, session, keys, name } = options;
  const { call } = session;
  const owner = session.account.accountId;
  const self = { accountId: owner, signingKey: keys.signing.publicKey };
  const epochs = createOwnEpochs(options);
  const wrap = createWrap({ suite, owner, ownerName: name, signing: keys.signing });
  // What starts epochs runs in turn: two revocations at once need one new epoch after each, and no more.
  const inTurn = createInTurn();
  let revocations: readonly KeptRevocation[] = options.revocations?.known ?? [];

  const remember = async (revocation: KeptRevocation): Promise<void> => {
    const now = clock.now();
    const others = revocations.filter(
      ({ consentId, until, told }) => consentId !== revocation.consentId && (until > now || !told),
    );
    revocations = [...others, revocation];
    await options.revocations?.keep(revocations);
  };

  const tell = async (revocation: KeptRevocation): Promise<void> => {
    await revokeConsent(call, revocation.statement);
    await remember({ ...revocation, told: true });
  };

  const rewrap = async (
    regions: Iterable<Region>,
    onWrapped: ((count: number) => void) | undefined,
  ): Promise<Omit<CaughtUp, "epochs">> => {
    let wrapped = 0;
    const skipped: string[] = [];
    for (const region of regions) {
      const done = await rewrapEpoch({
        call,
        clock,
        wrap,
        owner: self,
        epoch: epochs.newest(region),
        isRevoked: (consentId) => revocations.some((revocation) => revocation.consentId === consentId),
        ...(onWrapped === undefined ? {} : { onWrapped }),
      });
      wrapped += done.wrapped;
      skipped.push(...done.skipped);
    }
    return { wrapped, skipped: [...new Set(skipped)] };
  };

  const startAll = async (regions: Iterable<Region>): Promise<OwnedEpoch[]> => {
    const started = [];
    for (const region of regions) {
      started.push(await epochs.start(region));
    }
    return started;
  };

  const numberOf = (region: Region): number =>
    epochs.all.findLast((epoch) => epoch.region === region)?.number ?? 0;

  /** Regions whose newest key a reader may hold whom the owner has revoked. */
  const exposedBy = (revocation: KeptRevocation): Region[] =>
    (Object.entries(revocation.epochs) as [Region, number | undefined][])
      .filter(([region, number]) => numberOf(region) > 0 && numberOf(region) <= (number ?? 0))
      .map(([region]) => region);

  const consents: Owner["consents"] = async () => {
    const all = await fetchConsents(call);
    return Promise.all(all.map((unverified) => verifyGiven(unverified, self)));
  };

  const lookUp: Owner["lookUp"] = async (handle) => {
    const account = await session.lookUp(handle);
    const theirs = identityKeys(await verifyIdentity(account.identity));
    return {
      accountId: account.accountId,
      fingerprint: fingerprint(theirs),
      receivingKey: theirs.receivingKey,
    };
  };

  /** Regions whose newest key a reader may hold whose consent is over by now, and where it is not published yet. */
  const dueRegions = async (given: readonly GivenConsent[]): Promise<Set<Region>> => {
    const published = await epochs.published();
    const due = new Set<Region>(revocations.flatMap(exposedBy));
    const now = clock.now();
    for (const region of new Set(epochs.all.map((epoch) => epoch.region))) {
      const beganAt = published.get(epochs.newest(region).epochId)?.createdAt;
      const exposed = given.some(({ consent, revokedAt }) => {
        const end = Math.min(consent.until, revokedAt ?? Number.POSITIVE_INFINITY);
        return consent.regions.includes(region) && end <= now && end > consent.from && end > (beganAt ?? 0);
      });
      if (beganAt === undefined || exposed) {
        due.add(region);
      }
    }
    return due;
  };

  return {
    epochs: epochs.all,
    publishedEpochs: epochs.published,
    startEpoch: epochs.start,
    async enrolDevice({ deviceId, signingKey, region, until }) {
      const [{ streamId }] = epochs.of(region);
      const statement = await signStatement(
        ENROLMENT,
        {
          owner,
          deviceId,
          signingKey: toBase64Url(signingKey),
          region,
          streamId,
          createdAt: clock.now(),
          until,
        },
        keys.signing,
      );
      await session.enrolDevice(statement);
      return { streamId };
    },
    async devices() {
      const { devices, revocations: ended } = await fetchDevices(call);
      const revokedAt = new Map<string, number>();
      for (const statement of ended) {
        const revocation = await verifyStatement(DEVICE_REVOCATION, statement, self.signingKey);
        revokedAt.set(revocation.deviceId, revocation.revokedAt);
      }
      return Promise.all(
        devices.map(async (statement) => {
          const enrolment = await verifyStatement(ENROLMENT, statement, self.signingKey);
          return { enrolment, revokedAt: revokedAt.get(enrolment.deviceId) ?? null };
        }),
      );
    },
    async revokeDevice(deviceId) {
      const revocation = { deviceId, owner, revokedAt: clock.now() };
      await revokeDevice(call, await signStatement(DEVICE_REVOCATION, revocation, keys.signing));
    },
    lookUp,
    async share({ reader: named, regions, purpose, from, until, history, expectedFingerprint }) {
      const handle = typeof named === "string" ? named : named.handle;
      const reader = typeof named === "string" ? await lookUp(named) : named;
      if (expectedFingerprint !== reader.fingerprint) {
        throw new MedcloudletError(
          "READER_CHANGED",
          `The key of ${handle} is not the one you know. Compare fingerprints with them before you share.`,
          { status: 409 },
        );
      }
      const shared = regions.flatMap((region) => epochs.of(region));
      let wanted = shared;
      let since = from;
      if (history === "from-now") {
        wanted = await inTurn(() => startAll(regions));
        await rewrap(regions, undefined);
        // Behind the beginning of the new epochs: the consent covers none that ended before it.
        since = Math.max(from, clock.now());
      }
      const consent: Consent = {
        consentId: toHex(randomBytes(16)),
        owner,
        reader: reader.accountId,
        readerFingerprint: reader.fingerprint,
        regions: [...regions],
        purpose,
        from: since,
        until,
        ...(history === undefined ? {} : { history }),
        createdAt: clock.now(),
      };
      const to = {
        consentId: consent.consentId,
        reader: reader.accountId,
        receivingKey: reader.receivingKey,
      };
      const wrappedKeys = await Promise.all(wanted.map((epoch) => wrap(to, epoch)));
      await session.giveConsent(await signStatement(CONSENT, consent, keys.signing), wrappedKeys);
      return consent;
    },
    consents,
    revoke: (consentId, onWrapped) =>
      inTurn(async () => {
        const { consent } = await verifyGiven(await fetchConsent(call, consentId), self);
        if (consent.consentId !== consentId) {
          throw new MedcloudletError(
            "CONSENT_UNKNOWN",
            "The KDC shows another consent than the one asked for.",
            { status: 502 },
          );
        }
        // Where this keystore has no epochs of a region it cannot start one; the consent ends all the same.
        const regions = consent.regions.filter((region) => numberOf(region) > 0);
        const revocation: KeptRevocation = revocations.find((known) => known.consentId === consentId) ?? {
          consentId,
          until: consent.until,
          statement: await signStatement(
            REVOCATION,
            { consentId, owner, revokedAt: clock.now() },
            keys.signing,
          ),
          epochs: Object.fromEntries(regions.map((region) => [region, numberOf(region)])),
          told: false,
        };
        // Remembered, told, then a new epoch, then its keys: cut off at any point, the reader has nothing newer. Where it
        // cannot be remembered (a backup that another machine locked anew, say), the consent ends all the same.
        const unkept = await remember(revocation).then(
          () => null,
          (error: unknown) => ({ error }),
        );
        await revokeConsent(call, revocation.statement);
        if (unkept !== null) {
          throw unkept.error;
        }
        await remember({ ...revocation, told: true });
        const started = await startAll(exposedBy(revocation));
        return { epochs: started, ...(await rewrap(regions, onWrapped)) };
      }),
    catchUp: (onWrapped) =>
      inTurn(async () => {
        // Untold ones, and those that the KDC has forgotten (an old backup) or hides. A KDC that was set back to before
        // the consent has nothing to end; the revocation stays remembered here.
        const given = await consents();
        const shown = new Map(given.map((entry) => [entry.consent.consentId, entry]));
        for (const revocation of revocations) {
          if (shown.get(revocation.consentId)?.revokedAt === null) {
            await tell(revocation);
          }
        }
        const started = await startAll(await dueRegions(given));
        const regions = new Set(epochs.all.map(({ region }) => region));
        return { epochs: started, ...(await rewrap(regions, onWrapped)) };
      }),
  };
}
