import { z } from "zod";
import { personFingerprint } from "../../../host/client/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import {
  CONSENT,
  type Consent,
  DEVICE_REVOCATION,
  EPOCH,
  REVOCATION,
  signStatement,
  verifyStatement,
  WRAPPED_KEY,
  wrapEpochKey,
} from "../../../host/sealing/index.ts";
import { DAY_MS, type Patient, type Person, type System } from "../../support/system.ts";
import { sensorOf, someId } from "../http/attack.ts";
import type { Owned, Sample, World } from "./policy-samples.ts";

const anything = z.unknown();
const idOf = ({ session }: Person) => session.account.accountId;
const PURPOSE_OF: Readonly<Record<string, Consent["purpose"]>> = {
  doctor: "treatment",
  researcher: "research",
  patient: "self-care",
};

async function newestMedicalEpoch(patient: Patient) {
  const statements = await patient.session.epochs();
  const all = await Promise.all(
    statements.map((statement) => verifyStatement(EPOCH, statement, patient.keys.signing.publicKey)),
  );
  return all.filter(({ region }) => region === "medical").sort((a, b) => b.number - a.number)[0];
}

/** A consent of a patient to anybody, and the statement of the wrapped key that it needs. */
async function consentTo(system: System, patient: Patient, reader: Person, from: number) {
  const consent: Consent = {
    consentId: someId(),
    owner: idOf(patient),
    reader: idOf(reader),
    readerFingerprint: personFingerprint(reader.keys),
    regions: ["medical"],
    purpose: PURPOSE_OF[reader.session.account.role] ?? "treatment",
    from,
    until: from + DAY_MS,
    createdAt: system.clock.now(),
  };
  const epochId = (await newestMedicalEpoch(patient))?.epochId ?? "";
  const { consentId, owner, reader: readerId } = consent;
  const wrapped = await wrapEpochKey(
    system.suite,
    reader.keys.receiving.publicKey,
    { consentId, owner, reader: readerId, epochId },
    { privateKey: new Uint8Array(32), ownerName: "" },
  );
  return {
    consent,
    epochId,
    statement: await signStatement(CONSENT, consent, patient.keys.signing),
    wrappedKey: await signStatement(WRAPPED_KEY, wrapped, patient.keys.signing),
  };
}

/** Gives a consent as its owner's program does: the key first. Its id. */
export async function grantTo(system: System, patient: Patient, reader: Person): Promise<string> {
  const { consent, statement, wrappedKey } = await consentTo(system, patient, reader, system.clock.now());
  await patient.session.giveConsent(statement, [wrappedKey]);
  return consent.consentId;
}

/** The consent by which `target` lets the caller read, or one of theirs that is somebody else's business. */
function consentIdFor({ grants }: World, target: Owned, caller: Person | null): string {
  const own = [...grants].filter(([name]) => name.startsWith(idOf(target.patient)));
  const named = own.find(([name]) => caller !== null && name.endsWith(idOf(caller)));
  return (named ?? own[0])?.[1] ?? someId();
}

const aboutConsent =
  (rest: string): Sample =>
  (world, target, caller) => ({ path: `/consents/${consentIdFor(world, target, caller)}${rest}` });

type ConsentAction = Extract<
  Action,
  | "consent.give"
  | "consent.list"
  | "consent.show"
  | "consent.revoke"
  | `key.${string}`
  | "grant.list"
  | "device.revoke"
>;

export const CONSENT_SAMPLES: Readonly<Record<ConsentAction, Sample>> = {
  "consent.give": async ({ system, doctor }, { patient }) => {
    const soon = system.clock.now() + DAY_MS;
    const { statement, wrappedKey } = await consentTo(system, patient, doctor, soon);
    const json = { wrappedKeys: [wrappedKey] };
    await patient.session.call(anything, { method: "POST", path: "/wrapped-keys", json });
    return { json: { statement } };
  },
  "consent.list": () => ({}),
  "consent.show": aboutConsent(""),
  "consent.revoke": async ({ system, stranger }, { patient }) => {
    // Where the revocation is refused the consent stays: it must not be one of those that the rest goes by.
    const consentId = await grantTo(system, patient, stranger);
    const revocation = { consentId, owner: idOf(patient), revokedAt: system.clock.now() };
    return { json: { statement: await signStatement(REVOCATION, revocation, patient.keys.signing) } };
  },
  "key.store": async ({ system, doctor }, { patient }) => {
    const { wrappedKey } = await consentTo(system, patient, doctor, system.clock.now());
    return { json: { wrappedKeys: [wrappedKey] } };
  },
  "key.plan": async (_world, { patient }) => ({
    path: `/epochs/${(await newestMedicalEpoch(patient))?.epochId}/missing-keys`,
  }),
  "key.release": aboutConsent("/keys"),
  "grant.list": () => ({}),
  "device.revoke": async ({ system }, { patient }) => {
    const { deviceId } = await sensorOf(system, patient);
    const revocation = { deviceId, owner: idOf(patient), revokedAt: system.clock.now() };
    return { json: { statement: await signStatement(DEVICE_REVOCATION, revocation, patient.keys.signing) } };
  },
};
