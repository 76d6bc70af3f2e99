import { randomBytes, toBase64Url } from "../../../host/base/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import { generateSigningSeed, importSigningKey, sealNote } from "../../../host/sealing/index.ts";
import type { Sample } from "./policy-samples.ts";

type NoteAction = Extract<Action, `note.${string}` | "ticket.note">;

/** Samples of everything around notes. */
export const NOTE_SAMPLES: Readonly<Record<NoteAction, Sample>> = {
  "ticket.note": async (_world, { sensor }, caller) => {
    const holder = await importSigningKey(generateSigningSeed());
    return {
      json: { streamId: sensor.streamId, holder: toBase64Url(holder.publicKey) },
      ...(caller === null ? {} : { key: caller.keys.signing }),
    };
  },
  "note.store": async ({ system }, { sensor: { streamId, epochId, region, epochPublicKey } }) => ({
    path: `/streams/${streamId}/notes`,
    bytes: await sealNote({
      suite: system.suite,
      epochPublicKey,
      header: { region, epochId, streamId },
      content: { statement: "", identity: "", consent: null, text: toBase64Url(randomBytes(8)) },
    }),
  }),
  "note.read": (_world, { sensor }) => ({ path: `/streams/${sensor.streamId}/notes` }),
};
