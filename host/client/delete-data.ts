import { z } from "zod";
import { bareUrl, type Clock, isMedcloudletError, toBase64Url } from "../base/index.ts";
import {
  DEVICE_REVOCATION,
  ENROLMENT,
  EPOCH,
  generateSigningSeed,
  importSigningKey,
  REVOCATION,
  signStatement,
  verifyStatement,
} from "../sealing/index.ts";
import type { Reauthentication } from "./account.ts";
import type { HttpClient } from "./http.ts";
import type { KdcSession } from "./kdc-client.ts";
import { fetchConsents, fetchDevices, revokeConsent, revokeDevice } from "./kdc-consents.ts";
import { stateOf, verifyGiven } from "./own-consents.ts";
import type { PersonKeys } from "./person-keys.ts";

const STATE = z.object({
  state: z.enum(["none", "waiting", "begun", "erasing", "done"]),
  dueAt: z.number().nullable(),
});
const TICKET = z.object({ ticket: z.string(), expiresAt: z.number() });
const ANYTHING = z.unknown();

/** Where a deletion stands. `waiting`: it can be withdrawn, and begun by itself from `dueAt` (ms since 1970 UTC). */
export type DeletionState = z.infer<typeof STATE>;

/** What is being done, for whoever watches. */
export type DeletionStep = "begin" | "consents" | "devices" | "streams" | "account";

/** A patient deletes everything that the services keep of them. */
export interface DataDeletion {
  /** @throws MedcloudletError `PASSWORD_WRONG`, `SECOND_FACTOR_*`, `RATE_LIMITED` */
  announce(again: Reauthentication): Promise<DeletionState>;
  state(): Promise<DeletionState>;
  /** From any session. @throws MedcloudletError `DELETION_NOT_ANNOUNCED`, `DELETION_BEGUN` */
  withdraw(): Promise<void>;
  /**
   * Deletes everything, for good: consents and devices end, the cloud deletes the streams, the KDC what it keeps; then
   * there is no account any more. Cut off anywhere, it goes on where it was when called again. Before `dueAt` it takes
   * `confirm`: password and handle once more.
   * @returns how many streams were deleted
   * @throws MedcloudletError `DELETION_NOT_ANNOUNCED`, `DELETION_NOT_DUE`, `DELETION_UNCONFIRMED`
   */
  run(options?: {
    readonly confirm?: Reauthentication & { readonly handle: string };
    readonly onStep?: (step: DeletionStep) => void;
  }): Promise<{ readonly streams: number }>;
}

export function createDataDeletion(options: {
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly cloudUrl: string;
}): DataDeletion {
  const { clock, http, session, keys } = options;
  const { call } = session;
  const owner = session.account.accountId;
  const self = { accountId: owner, signingKey: keys.signing.publicKey };
  const streamsUrl = `${bareUrl(options.cloudUrl)}/v1/streams`;

  const endConsents = async (): Promise<void> => {
    for (const unverified of await fetchConsents(call)) {
      const given = await verifyGiven(unverified, self);
      const state = stateOf(given, clock);
      if (state === "live" || state === "future") {
        const revocation = { consentId: given.consent.consentId, owner, revokedAt: clock.now() };
        await revokeConsent(call, await signStatement(REVOCATION, revocation, keys.signing));
      }
    }
  };

  const endDevices = async (): Promise<void> => {
    const { devices, revocations } = await fetchDevices(call);
    const ended = new Set<string>();
    for (const statement of revocations) {
      ended.add((await verifyStatement(DEVICE_REVOCATION, statement, self.signingKey)).deviceId);
    }
    for (const statement of devices) {
      const { deviceId } = await verifyStatement(ENROLMENT, statement, self.signingKey);
      if (!ended.has(deviceId)) {
        const revocation = { deviceId, owner, revokedAt: clock.now() };
        await revokeDevice(call, await signStatement(DEVICE_REVOCATION, revocation, keys.signing));
      }
    }
  };

  const eraseStream = async (streamId: string): Promise<void> => {
    const key = await importSigningKey(generateSigningSeed());
    const json = { streamId, holder: toBase64Url(key.publicKey) };
    const request = { method: "POST", path: "/tickets/erase", json, key: keys.signing } as const;
    const { ticket } = await call(TICKET, request);
    await http.send({ method: "DELETE", url: `${streamsUrl}/${streamId}`, credentials: { key, ticket } });
  };

  /** Every stream that was ever claimed: one without an epoch at the KDC has no ticket, and so nothing at the cloud. */
  const ownStreams = async (): Promise<string[]> => {
    const published = await Promise.all(
      (await session.epochs()).map((statement) => verifyStatement(EPOCH, statement, self.signingKey)),
    );
    return [...new Set(published.map(({ streamId }) => streamId))];
  };

  const finish = async (streams: readonly string[]): Promise<void> => {
    const request = {
      method: "POST",
      path: "/deletion/finish",
      json: { streams },
      key: keys.signing,
    } as const;
    await call(ANYTHING, request).catch(async (error) => {
      if (!isMedcloudletError(error, "SERVICE_UNREACHABLE")) {
        throw error;
      }
      // The answer may have been lost behind the deed: then there is no account any more that could ask.
      await call(ANYTHING, request).catch((again) => {
        if (!isMedcloudletError(again, "SESSION_INVALID")) {
          throw again;
        }
      });
    });
  };

  return {
    announce: (json) => call(STATE, { method: "POST", path: "/deletion", json }),
    state: () => call(STATE, { method: "GET", path: "/deletion" }),
    async withdraw() {
      await call(ANYTHING, { method: "DELETE", path: "/deletion" });
    },
    async run({ confirm = null, onStep = () => {} } = {}) {
      onStep("begin");
      await call(STATE, { method: "POST", path: "/deletion/begin", json: { confirm }, key: keys.signing });
      onStep("consents");
      await endConsents();
      onStep("devices");
      await endDevices();
      onStep("streams");
      const streams = await ownStreams();
      for (const streamId of streams) {
        await eraseStream(streamId);
      }
      onStep("account");
      await finish(streams);
      return { streams: streams.length };
    },
  };
}
