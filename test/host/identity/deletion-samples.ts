import { z } from "zod";
import { toBase64Url } from "../../../host/base/index.ts";
import { createDataDeletion, createHttpClient, type HeldTicket } from "../../../host/client/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import { generateSigningSeed, importSigningKey } from "../../../host/sealing/index.ts";
import { PASSWORD, type Patient, type System } from "../../support/system.ts";
import type { Sample, Sent } from "./policy-samples.ts";

type DeletionAction = Extract<Action, `deletion.${string}` | "ticket.erase" | "stream.erase">;

/** Begins a patient's deletion, and gives a ticket to delete one of their streams with. */
export async function eraseTicketOf(
  { clock, cloud }: System,
  { session, keys }: Patient,
  streamId: string,
): Promise<HeldTicket> {
  const http = createHttpClient({ clock });
  await createDataDeletion({ clock, http, session, keys, cloudUrl: cloud.url }).announce({
    password: PASSWORD,
  });
  const { handle } = session.account;
  const begin = { method: "POST", path: "/deletion/begin", key: keys.signing } as const;
  await session.call(z.unknown(), { ...begin, json: { confirm: { password: PASSWORD, handle } } });
  const key = await importSigningKey(generateSigningSeed());
  const json = { streamId, holder: toBase64Url(key.publicKey) };
  const schema = z.object({ ticket: z.string(), expiresAt: z.number() });
  const request = { method: "POST", path: "/tickets/erase", json, key: keys.signing } as const;
  return { ...(await session.call(schema, request)), key };
}

const signedBy = (caller: Parameters<Sample>[2]): Pick<Sent, "key"> =>
  caller === null ? {} : { key: caller.keys.signing };

/** Samples of deleting everything. Ada's deletion has begun when they are sent; it is never finished. */
export const DELETION_SAMPLES: Readonly<Record<DeletionAction, Sample>> = {
  "deletion.announce": () => ({ json: { password: "not the right one" }, passes: ["PASSWORD_WRONG"] }),
  "deletion.show": () => ({}),
  "deletion.withdraw": () => ({ passes: ["DELETION_BEGUN"] }),
  "deletion.begin": (_world, _target, caller) => ({ json: { confirm: null }, ...signedBy(caller) }),
  "deletion.finish": (_world, _target, caller) => ({
    ...{ json: { streams: [] }, passes: ["DELETION_INCOMPLETE"] },
    ...signedBy(caller),
  }),
  "ticket.erase": async (_world, { sensor }, caller) => {
    const holder = await importSigningKey(generateSigningSeed());
    return {
      json: { streamId: sensor.streamId, holder: toBase64Url(holder.publicKey) },
      ...signedBy(caller),
    };
  },
  "stream.erase": (_world, { sensor }) => ({ path: `/streams/${sensor.streamId}` }),
};
