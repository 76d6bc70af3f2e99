import { z } from "zod";
import { randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import { createParts } from "../../../host/records/index.ts";
import {
  EPOCH,
  generateSigningSeed,
  importSigningKey,
  parseRecordPart,
  RECORD_PART,
  sealRecordPart,
  signStatement,
  verifyStatement,
} from "../../../host/sealing/index.ts";
import type { Patient } from "../../support/system.ts";
import { type Owned, SAMPLES, type Sample, type World } from "./policy-samples.ts";

type RecordAction = Extract<Action, `record.${string}` | "ticket.write">;

let versions = 1000;

function sealedPart({ system }: World, { sensor }: Owned) {
  const { region, epochId, streamId, epochPublicKey } = sensor;
  const header = { region, epochId, streamId, version: ++versions };
  return sealRecordPart({ suite: system.suite, epochPublicKey, header, content: randomBytes(10) });
}

/** The next version of the patient's medical part, whatever others published in between. */
async function nextPart({ session, keys }: Patient) {
  const path = "/record-parts";
  const { recordParts } = await session.call(z.object({ recordParts: z.array(z.string()) }), {
    method: "GET",
    path,
  });
  const signed = await Promise.all(
    recordParts.map((statement) => verifyStatement(RECORD_PART, statement, keys.signing.publicKey)),
  );
  const epochs = await Promise.all(
    (await session.epochs()).map((statement) => verifyStatement(EPOCH, statement, keys.signing.publicKey)),
  );
  const medical = epochs.filter(({ region }) => region === "medical").sort((a, b) => b.number - a.number)[0];
  return {
    owner: session.account.accountId,
    region: "medical" as const,
    streamId: medical?.streamId ?? "",
    epochId: medical?.epochId ?? "",
    version: (signed.find(({ region }) => region === "medical")?.version ?? 0) + 1,
    digest: toHex(randomBytes(32)),
    createdAt: 1,
  };
}

/** Samples of everything around records. */
export const RECORD_SAMPLES: Readonly<Record<RecordAction, Sample>> = {
  "record.publish": async (_world, { patient }) => ({
    json: { statement: await signStatement(RECORD_PART, await nextPart(patient), patient.keys.signing) },
  }),
  "record.list": () => ({}),
  // Whoever may have a ticket to read a stream is told which version of its record counts.
  "record.show": async (world, target, caller, relation) => {
    const { json } = await SAMPLES["ticket.read"](world, target, caller, relation);
    const { streamId } = z.object({ streamId: z.string() }).parse(json);
    return { path: `/streams/${streamId}/record-part` };
  },
  "ticket.write": async (_world, { sensor }, caller) => {
    const holder = await importSigningKey(generateSigningSeed());
    return {
      json: { streamId: sensor.streamId, holder: toBase64Url(holder.publicKey) },
      ...(caller === null ? {} : { key: caller.keys.signing }),
    };
  },
  "record.store": async (world, target) => ({
    path: `/streams/${target.sensor.streamId}/record`,
    bytes: await sealedPart(world, target),
  }),
  "record.fetch": async (world, target) => {
    const bytes = await sealedPart(world, target);
    const parts = await createParts(world.system.stores.cloud, world.system.clock);
    await parts.add(parseRecordPart(bytes), bytes);
    return { path: `/streams/${target.sensor.streamId}/record` };
  },
};
