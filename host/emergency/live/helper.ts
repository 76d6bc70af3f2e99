import { z } from "zod";
import {
  type Bytes,
  bareUrl,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
} from "../../base/index.ts";
import type { HttpClient } from "../../client/index.ts";
import type { TicketVerifier } from "../../identity/index.ts";
import {
  EMERGENCY_CALL,
  idSchema,
  type SigningKey,
  signStatement,
  verifyStatement,
} from "../../sealing/index.ts";
import { answerAttested } from "../../trust/index.ts";
import { HELPER_ANSWER, requestDigest } from "./statements.ts";

const CALL = z.object({
  callId: idSchema,
  statement: z.string(),
  ticket: z.string(),
  request: z.string(),
  until: z.number(),
});
const ERRAND = z.object({
  callId: idSchema,
  batch: z.string(),
  deviceTicket: z.string(),
  forwardTicket: z.string(),
  permit: z.string(),
});
const WORK = z.object({ until: z.number(), calls: z.array(CALL).max(16), errands: z.array(ERRAND).max(16) });
const RELAYED = z.object({ status: z.string(), acknowledgement: z.string() });
type HelperCall = z.infer<typeof CALL>;
type Errand = z.infer<typeof ERRAND>;

/** Calls that one helper answers an hour: each tells one patient how many conditions are shared. */
const ANSWERS_AN_HOUR = 12;
const HOUR_MS = 3_600_000;

/** What one round of standing by did. */
export interface HelperRound {
  readonly answered: number;
  readonly relayed: number;
  /** Bytes of sealed batches that the cloud acknowledged. */
  readonly bytes: number;
  /** Codes of what went wrong; the next round tries again where that helps. */
  readonly troubles: readonly string[];
}

/** Somebody near by who helps: answers calls blindly and carries sealed batches to the cloud. */
export interface Helper {
  /** Says "I am here", does what there is to do. @throws MedcloudletError the cloudlet's refusals of standing by */
  round(): Promise<HelperRound>;
}

/** What a helper acts with: the credential's key, and what the hospital confirmed. */
export interface HelperSelf {
  readonly community: string;
  readonly pseudonym: string;
  readonly key: SigningKey;
  /** The confirmed set as signed, and the seed that it was blinded with. */
  readonly set: string;
  readonly seed: Bytes;
}

export function createHelper(options: {
  readonly self: HelperSelf;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly cloudletUrl: string;
  readonly cloudUrl: string;
  /** Tells a device's ticket from a cloudlet's invention, by the KDC's keys. */
  readonly tickets: TicketVerifier;
}): Helper {
  const { self, http, clock, tickets } = options;
  const { community, pseudonym, key } = self;
  const cloudlet = `${bareUrl(options.cloudletUrl)}/v1/communities/${community}`;
  const cloud = `${bareUrl(options.cloudUrl)}/v1`;
  let answeredAt: number[] = [];

  const post = (url: string, json: unknown) => http.json({ method: "POST", url, credentials: { key }, json });

  /**
   * That a device of the KDC's made this call. Else a cloudlet could ask with points of its own, whenever it is curious.
   * @throws MedcloudletError `CALL_FORGED`
   */
  const assertGenuine = async ({ callId, statement, ticket, request }: HelperCall): Promise<Bytes> => {
    const points = fromBase64Url(request);
    try {
      const grant = await tickets.verify(ticket, "upload");
      const call = await verifyStatement(EMERGENCY_CALL, statement, fromBase64Url(grant.deviceKey));
      const now = clock.now();
      if (
        call.callId === callId &&
        call.deviceId === grant.device &&
        call.request === requestDigest(points) &&
        call.until > now
      ) {
        return points;
      }
    } catch (cause) {
      throw forged(cause);
    }
    throw forged();
  };

  const answer = async (call: HelperCall): Promise<void> => {
    const points = await assertGenuine(call);
    const now = clock.now();
    answeredAt = answeredAt.filter((at) => at > now - HOUR_MS);
    if (answeredAt.length >= ANSWERS_AN_HOUR) {
      throw new MedcloudletError("HELPER_WEARY", "Enough calls were answered for this hour.", {
        status: 429,
      });
    }
    answeredAt.push(now);
    const statement = await signStatement(
      HELPER_ANSWER,
      {
        callId: call.callId,
        community,
        pseudonym,
        answer: toBase64Url(answerAttested(self.seed, points)),
        at: now,
      },
      key,
    );
    await post(`${cloudlet}/emergency-calls/${call.callId}/answers`, { statement });
  };

  const carry = async ({ batch, deviceTicket, forwardTicket, permit }: Errand): Promise<number> => {
    const bytes = fromBase64Url(batch);
    const answered = await http.json({
      method: "POST",
      url: `${cloud}/relayed-batches`,
      credentials: { key },
      bytes,
      headers: { "Device-Ticket": deviceTicket, "Forward-Ticket": forwardTicket, "Forward-Permit": permit },
    });
    const { acknowledgement } = RELAYED.parse(answered);
    await post(`${cloudlet}/acknowledgements`, { statement: acknowledgement });
    return bytes.length;
  };

  return {
    async round() {
      const work = WORK.parse(await post(`${cloudlet}/helpers/own`, { set: self.set }));
      const troubles: string[] = [];
      const attempt = async <T>(step: () => Promise<T>): Promise<T | null> => {
        try {
          return await step();
        } catch (error) {
          if (!isMedcloudletError(error)) {
            throw error;
          }
          troubles.push(error.code);
          return null;
        }
      };
      let answered = 0;
      for (const call of work.calls) {
        const done = await attempt(async () => {
          await answer(call);
          return true;
        });
        answered += done === null ? 0 : 1;
      }
      let relayed = 0;
      let bytes = 0;
      for (const errand of work.errands) {
        const carried = await attempt(() => carry(errand));
        relayed += carried === null ? 0 : 1;
        bytes += carried ?? 0;
      }
      return { answered, relayed, bytes, troubles };
    },
  };
}

function forged(cause?: unknown): MedcloudletError {
  return new MedcloudletError(
    "CALL_FORGED",
    "The cloudlet shows a call that no device of the KDC's has made: it gets no answer.",
    { status: 502, cause },
  );
}
