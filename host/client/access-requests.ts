import { z } from "zod";
import {
  fingerprint,
  identityKeys,
  idSchema,
  type Region,
  regionSchema,
  verifyIdentity,
} from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";
import { ACCOUNT } from "./known-account.ts";

/** One line of text by somebody else: the KDC is not believed to have checked it. */
const lineSchema = z
  .string()
  .max(200)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
const timeSchema = z.number().int().nonnegative();
const OUTLINE = z.object({
  requestId: idSchema,
  regions: z.array(regionSchema).min(1),
  purpose: z.enum(["treatment", "research"]),
  days: z.number().int().positive(),
  reason: lineSchema,
  createdAt: timeSchema,
  expiresAt: timeSchema,
});
const LISTS = z.object({
  received: z.array(OUTLINE.extend({ asker: ACCOUNT })),
  made: z.array(OUTLINE.extend({ handle: lineSchema })),
});
const MADE = z.object({ requestId: idSchema, expiresAt: timeSchema });

/** What is asked for. Times are ms since 1970 UTC. */
type Outline = z.infer<typeof OUTLINE>;
/** A request that waits for the caller, a patient. */
export interface ReceivedRequest extends Outline {
  readonly handle: string;
  readonly role: string;
  readonly accountId: string;
  /** Of the identity that the KDC shows for the asker: to be compared with them before anything is shared. */
  readonly fingerprint: string;
}
/** A request that the caller made. It looks open until it expires, also where the patient has declined it. */
export type MadeRequest = Outline & { readonly handle: string };

/** Asking patients for access, and answering those who ask. To agree, share with them as with anybody (`Owner.share`). */
export interface AccessRequests {
  /**
   * Asks somebody by the handle they told. The answer is the same where nobody has it.
   * @throws MedcloudletError `ACCESS_REQUESTS_TODAY`, `CONSENT_ROLE_MISMATCH`, `REQUEST_INVALID`
   */
  ask(input: {
    readonly handle: string;
    readonly regions: readonly Region[];
    readonly purpose: "treatment" | "research";
    readonly days: number;
    /** At most 200 characters, one line. */
    readonly reason: string;
  }): Promise<{ readonly requestId: string; readonly expiresAt: number }>;
  /** Open requests to the caller, the newest first. @throws MedcloudletError `STATEMENT_INVALID` */
  received(): Promise<ReceivedRequest[]>;
  /** The caller's own, the newest first. */
  made(): Promise<MadeRequest[]>;
  /** As a patient: removes a request; the asker is not told. @throws MedcloudletError `ACCESS_REQUEST_UNKNOWN` */
  decline(requestId: string): Promise<void>;
  /** As who asked: takes it back. @throws MedcloudletError `ACCESS_REQUEST_UNKNOWN` */
  withdraw(requestId: string): Promise<void>;
}

export function createAccessRequests(session: Pick<KdcSession, "call">): AccessRequests {
  const lists = () => session.call(LISTS, { method: "GET", path: "/access-requests" });
  const end = async (requestId: string): Promise<void> => {
    const path = `/access-requests/${encodeURIComponent(requestId)}`;
    await session.call(z.unknown(), { method: "DELETE", path });
  };
  return {
    ask: (json) => session.call(MADE, { method: "POST", path: "/access-requests", json }),
    received: async () =>
      Promise.all(
        (await lists()).received.map(async ({ asker, ...request }) => {
          const { handle, role, accountId } = asker;
          const keys = identityKeys(await verifyIdentity(asker.identity));
          return { ...request, handle, role, accountId, fingerprint: fingerprint(keys) };
        }),
      ),
    made: async () => (await lists()).made,
    decline: end,
    withdraw: end,
  };
}
