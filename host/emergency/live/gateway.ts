import { z } from "zod";
import {
  type Bytes,
  bareUrl,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  isPassing,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
} from "../../base/index.ts";
import type { HttpClient, KdcClient, Ticket } from "../../client/index.ts";
import { type Community, verifyCommunity } from "../../community/index.ts";
import {
  digestSchema,
  EMERGENCY_CALL,
  EMERGENCY_CALL_REPORT,
  type EmergencyCall,
  idSchema,
  type SigningKey,
  signStatement,
  verifyStatement,
} from "../../sealing/index.ts";
import { type AttestedAsker, askAttested, verifyAttestedSet, verifyCredential } from "../../trust/index.ts";
import { HELPER_ANSWER, HELPER_CHOICE, HELPERS_MOST, requestDigest } from "./statements.ts";

/** What a patient's gateway must know beforehand to call for helpers; plain data beside the pairing. */
export const HELP_PLAN = z.strictObject({
  format: z.literal("medcloudlet-help-plan-1"),
  /** The community whose members may help, as its founder signed it. */
  community: z.string().max(65_536),
  /** The patient's confirmed codes. */
  codes: z.array(digestSchema).min(1).max(32),
  /** How many of them a helper must share. */
  threshold: z.number().int().min(0).max(32),
});
export type HelpPlan = z.infer<typeof HELP_PLAN>;

const ANSWERED = z.object({
  callId: idSchema,
  endedAt: z.number().nullable(),
  answers: z.record(idSchema, z.object({ statement: z.string(), credential: z.string(), set: z.string() })),
});
const COMMUNITY_ANSWER = z.object({ statement: z.string() });
const OPENED = z.object({ emergency: z.string(), outcome: z.string() });

/** How a helper was judged. */
export interface Judged {
  readonly pseudonym: string;
  /** Elements in common, as counted here; null where phase 1 failed. */
  readonly common: number | null;
  readonly qualified: boolean;
  /** Why not, where something about the helper does not hold. */
  readonly code: string | null;
}

export interface GatewayStatus {
  readonly callId: string;
  readonly judged: readonly Judged[];
  /** Helpers who relay now. */
  readonly helpers: number;
  /** What the KDC made of the call: `opened`, `nobody-on-duty`, `unprepared`, …; null while it has not answered. */
  readonly kdc: string | null;
  /** Codes of what did not work in this step and is tried again in the next. */
  readonly troubles: readonly string[];
}

/** A patient's telephone in an emergency: calls, compares, chooses. It has the device's key and nothing that opens readings. */
export interface Gateway {
  /**
   * Calls, at the cloudlet for helpers and at the KDC for the emergency team. What cannot be reached is tried again by
   * `tend`. @throws MedcloudletError what no waiting cures
   */
  call(cause: EmergencyCall["cause"], minutes?: number): Promise<GatewayStatus>;
  /** Looks at new answers, chooses whoever qualifies, catches up on what could not be reached. */
  tend(): Promise<GatewayStatus>;
  /** The emergency is over. */
  end(): Promise<void>;
}

interface Open {
  readonly call: EmergencyCall;
  readonly statement: string;
  readonly asker: AttestedAsker;
  readonly judged: Map<string, Judged & { readonly key: string | null }>;
  version: number;
  atCloudlet: boolean;
  kdc: string | null;
  kdcAt: number;
  reported: number;
  /** The choice that the cloudlet has. */
  posted: string;
}

function issuersOf({ issuers }: Community): ReadonlyMap<string, Bytes> {
  return new Map(issuers.map(({ id, signingKey }) => [id, fromBase64Url(signingKey)]));
}

/** While nobody is on duty the KDC is asked again this often. */
const KDC_AGAIN_MS = 5 * 60_000;
const DEFAULT_MINUTES = 60;
const RENEW_BEFORE_MS = 60_000;

function worthAnotherTry(error: unknown): boolean {
  return isPassing(error) || (isMedcloudletError(error) && error.status === 401);
}

/** @throws MedcloudletError `STATEMENT_INVALID` for a plan whose community is none */
export async function createGateway(options: {
  readonly deviceId: string;
  readonly key: SigningKey;
  readonly plan: HelpPlan;
  readonly http: HttpClient;
  readonly kdc: KdcClient;
  readonly clock: Clock;
  readonly cloudletUrl: string;
}): Promise<Gateway> {
  const { deviceId, key, plan, http, kdc, clock } = options;
  const base = `${bareUrl(options.cloudletUrl)}/v1`;
  const pinned = await verifyCommunity(plan.community);
  const { community } = pinned;
  let issuers = issuersOf(pinned);
  let ticket: Ticket | undefined;
  let open: Open | undefined;

  const atCloudlet = async (method: "GET" | "POST", path: string, json?: unknown): Promise<unknown> => {
    if (ticket === undefined || ticket.expiresAt - RENEW_BEFORE_MS < clock.now()) {
      ticket = await kdc.uploadTicket(deviceId, key);
    }
    return http.json({
      method,
      url: base + path,
      credentials: { key, ticket: ticket.ticket },
      ...(json === undefined ? {} : { json }),
    });
  };

  /** A hospital that was struck off since confirms nobody; an older list than the one in the plan is not taken. */
  const learnIssuers = async (): Promise<void> => {
    const answer = COMMUNITY_ANSWER.parse(
      await http.json({ method: "GET", url: `${base}/communities/${community}` }),
    );
    const newest = await verifyCommunity(answer.statement);
    if (newest.community === community && newest.version >= pinned.version) {
      issuers = issuersOf(newest);
    }
  };

  /** Phase 1, then phase 2; nothing of what cloudlet or helper say is believed. */
  const judge = async (
    { call, asker }: Open,
    pseudonym: string,
    answer: z.infer<typeof ANSWERED>["answers"][string],
  ): Promise<{ common: number; key: string }> => {
    const now = clock.now();
    const credential = await verifyCredential(answer.credential, issuers, now);
    if (credential.community !== community || credential.pseudonym !== pseudonym) {
      throw new MedcloudletError("HELPER_MISMATCH", "The credential is another's: this one does not help.", {
        status: 403,
      });
    }
    const points = await verifyAttestedSet(
      answer.set,
      credential,
      issuers.get(credential.issuer) as Bytes,
      now,
    );
    const said = await verifyStatement(HELPER_ANSWER, answer.statement, fromBase64Url(credential.signingKey));
    if (said.callId !== call.callId || said.community !== community || said.pseudonym !== pseudonym) {
      throw new MedcloudletError("HELPER_MISMATCH", "The answer is to another call: it counts for nothing.", {
        status: 403,
      });
    }
    return { common: asker.count(fromBase64Url(said.answer), points), key: credential.signingKey };
  };

  const judgeNew = async (current: Open): Promise<void> => {
    const shown = ANSWERED.parse(await atCloudlet("GET", `/emergency-calls/${current.call.callId}`));
    for (const [pseudonym, answer] of Object.entries(shown.answers)) {
      if (current.judged.has(pseudonym)) {
        continue;
      }
      try {
        const { common, key: helper } = await judge(current, pseudonym, answer);
        const qualified = common >= plan.threshold;
        current.judged.set(pseudonym, { pseudonym, common, qualified, code: null, key: helper });
      } catch (error) {
        if (!isMedcloudletError(error)) {
          throw error;
        }
        const { code } = error;
        current.judged.set(pseudonym, { pseudonym, common: null, qualified: false, code, key: null });
      }
    }
  };

  /** The keys of those who qualify; where there are too many, those who came last, for they are near now. */
  const chosen = ({ judged }: Open): string[] => {
    const keys = [...judged.values()].flatMap(({ qualified, key: helper }) =>
      qualified && helper !== null ? helper : [],
    );
    return [...new Set(keys)].slice(-HELPERS_MOST);
  };

  const choose = async (current: Open, ended: boolean): Promise<void> => {
    const { callId } = current.call;
    const statement = await signStatement(
      HELPER_CHOICE,
      {
        callId,
        deviceId,
        version: current.version + 1,
        helpers: ended ? [] : chosen(current),
        at: clock.now(),
        ended,
      },
      key,
    );
    await atCloudlet("POST", `/emergency-calls/${callId}/choice`, { statement });
    current.version++;
  };

  const report = async (current: Open, ended: boolean): Promise<void> => {
    const { callId } = current.call;
    const helpers = chosen(current).length;
    if (!ended && helpers === current.reported) {
      return;
    }
    const statement = await signStatement(
      EMERGENCY_CALL_REPORT,
      { callId, deviceId, helpers, ended, at: clock.now() },
      key,
    );
    const path = `/emergency-calls/${callId}/reports`;
    await kdc.call(z.unknown(), { method: "POST", path, json: { statement }, key });
    current.reported = helpers;
  };

  const callCloudlet = async (current: Open): Promise<void> => {
    if (!current.atCloudlet) {
      const { statement, asker } = current;
      const request = toBase64Url(asker.request);
      await atCloudlet("POST", "/emergency-calls", { community, statement, request });
      current.atCloudlet = true;
    }
  };
  const callKdc = async (current: Open): Promise<void> => {
    const again = current.kdc === "nobody-on-duty" && clock.now() - current.kdcAt >= KDC_AGAIN_MS;
    if (current.kdc === null || again) {
      current.kdcAt = clock.now();
      const json = { statement: current.statement };
      const answer = await kdc.call(OPENED, { method: "POST", path: "/emergency-calls", json, key });
      current.kdc = answer.outcome;
    }
  };
  /** One of the two being away must not keep the other from hearing. */
  const trying = async (...steps: (() => Promise<void>)[]): Promise<string[]> => {
    const troubles: string[] = [];
    for (const step of steps) {
      await step().catch((error) => {
        if (isMedcloudletError(error) && error.status === 401) {
          ticket = undefined;
        }
        if (!worthAnotherTry(error)) {
          throw error;
        }
        troubles.push((error as MedcloudletError).code);
      });
    }
    return troubles;
  };

  const statusOf = (current: Open, troubles: readonly string[]): GatewayStatus => ({
    callId: current.call.callId,
    judged: [...current.judged.values()].map(({ key: _, ...judged }) => judged),
    helpers: chosen(current).length,
    kdc: current.kdc,
    troubles,
  });
  const require = (): Open => {
    if (open === undefined) {
      throw new MedcloudletError("CALL_UNKNOWN", "There is no call under way: call first.", { status: 404 });
    }
    return open;
  };

  const call: Gateway["call"] = async (cause, minutes = DEFAULT_MINUTES) => {
    const asker = askAttested(plan.codes);
    const at = clock.now();
    const wanted: EmergencyCall = {
      callId: toHex(randomBytes(16)),
      deviceId,
      cause,
      request: requestDigest(asker.request),
      at,
      until: at + minutes * 60_000,
    };
    const statement = await signStatement(EMERGENCY_CALL, wanted, key);
    const current: Open = {
      ...{ call: wanted, statement, asker, judged: new Map() },
      ...{ version: 0, atCloudlet: false, kdc: null, kdcAt: 0, reported: 0, posted: "" },
    };
    open = current;
    const troubles = await trying(
      () => callCloudlet(current),
      () => callKdc(current),
      learnIssuers,
    );
    return statusOf(current, troubles);
  };

  return {
    call,
    async tend() {
      const current = require();
      if (current.call.until <= clock.now()) {
        // It goes on beyond the time that the call asked for.
        return call(current.call.cause);
      }
      const troubles = await trying(
        () => callCloudlet(current),
        () => callKdc(current),
        async () => {
          if (current.atCloudlet) {
            await judgeNew(current);
          }
        },
        async () => {
          const now = chosen(current).join();
          if (now !== current.posted) {
            await choose(current, false);
            current.posted = now;
          }
        },
        () => report(current, false),
      );
      return statusOf(current, troubles);
    },
    async end() {
      const current = require();
      await trying(
        async () => {
          if (current.atCloudlet) {
            await choose(current, true);
          }
        },
        () => report(current, true),
      );
      open = undefined;
    },
  };
}
