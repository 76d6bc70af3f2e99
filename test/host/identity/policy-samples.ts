import { toBase64Url } from "../../../host/base/index.ts";
import { createIdentity, type HttpRequest } from "../../../host/client/index.ts";
import type { Action, Relation } from "../../../host/identity/index.ts";
import {
  ENROLMENT,
  EPOCH,
  generateSigningSeed,
  importSigningKey,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import {
  DAY_MS,
  type Doctor,
  PASSWORD,
  type Patient,
  type Person,
  type System,
} from "../../support/system.ts";
import { type Sensor, sealedBy, someId } from "../http/attack.ts";
import { ACCESS_SAMPLES } from "./access-samples.ts";
import { ACCOUNT_SAMPLES } from "./account-samples.ts";
import { COMMUNITY_SAMPLES, type CommunityPlay } from "./community-samples.ts";
import { CONSENT_SAMPLES } from "./consent-samples.ts";
import { DELETION_SAMPLES } from "./deletion-samples.ts";
import { EMERGENCY_SAMPLES, openedTo } from "./emergency-samples.ts";
import { HELPER_SAMPLES } from "./helper-samples.ts";
import { IDS_SAMPLES } from "./ids-samples.ts";
import { MESH_SAMPLES } from "./mesh-samples.ts";
import { NOTE_SAMPLES } from "./note-samples.ts";
import { RECORD_SAMPLES } from "./record-samples.ts";
import { RESEARCH_SAMPLES, type ResearchPlay } from "./research-samples.ts";

/** A patient and everything of theirs that a request can be about. */
export interface Owned {
  readonly patient: Patient;
  readonly sensor: Sensor;
}

/** Everybody and everything that the matrix needs. */
export interface World {
  readonly system: System;
  /** The one whose things are the caller's own. */
  readonly ada: Owned;
  /** The one who lets the doctor, the researcher and Ada read. */
  readonly cy: Owned;
  /** The one whose things are somebody else's. */
  readonly bo: Owned;
  readonly doctor: Doctor;
  /** Somebody without an account, who asks guardians. */
  readonly requester: { readonly identity: string; readonly key: SigningKey };
  /** Somebody to whom a cloudlet gave a permit. */
  readonly helper: SigningKey;
  /** A doctor who takes no other part. */
  readonly stranger: Person;
  /** Consent ids by `owner, space, reader`. */
  readonly grants: ReadonlyMap<string, string>;
  readonly research: ResearchPlay;
  /** Made when first asked for. */
  readonly communities: () => Promise<CommunityPlay>;
}

export type Sent = Partial<Pick<HttpRequest, "json" | "bytes" | "headers">> & {
  /** Instead of the route's own path, where that has parameters. */
  readonly path?: string;
  /** A key that the KDC wants proven beside the session. */
  readonly key?: SigningKey;
  /** Refusals that only somebody gets who may: a wrong password, something that is not there. */
  readonly passes?: readonly string[];
};

/**
 * A fresh, valid request about what belongs to `target`, as `caller` would send it where it is a person. Null where the action is
 * about nothing that could be another's.
 */
export type Sample = (
  world: World,
  target: Owned,
  caller: Person | null,
  relation: Relation,
) => Promise<Sent> | Sent;

const idOf = ({ session }: Person) => session.account.accountId;
const nothing: Sample = () => ({});
let made = 0;
const fresh = (what: string) => `${what}-${++made}`;

const streamOf: (rest: string) => Sample =
  (rest) =>
  (_world, { sensor }) => ({
    path: `/streams/${sensor.streamId}${rest}`,
  });

/** One for every action there is: an action without a sample does not compile. */
export const SAMPLES: Readonly<Record<Action, Sample>> = {
  "account.register": async ({ system }) => {
    const { statement } = await createIdentity(system.suite, system.clock);
    const { code } = await system.operator.session.invite("patient");
    return { json: { invitation: code, handle: fresh("patient"), password: PASSWORD, identity: statement } };
  },
  "account.show": nothing,
  "session.open": (_world, { patient }) => ({
    json: { handle: patient.session.account.handle, password: PASSWORD },
  }),
  "session.close": nothing,
  "invitation.make": (_world, _target, caller) => ({
    json: { role: caller?.session.account.role === "security-officer" ? "security-officer" : "patient" },
  }),
  "directory.look-up": ({ doctor }) => ({ path: `/directory/${doctor.handle}` }),
  "device.enrol": async ({ system }, { patient, sensor }) => {
    const { publicKey } = await importSigningKey(generateSigningSeed());
    const now = system.clock.now();
    const enrolment = {
      owner: idOf(patient),
      deviceId: someId(),
      signingKey: toBase64Url(publicKey),
      region: sensor.region,
      streamId: sensor.streamId,
      createdAt: now,
      until: now + DAY_MS,
    };
    return { json: { statement: await signStatement(ENROLMENT, enrolment, patient.keys.signing) } };
  },
  "device.list": nothing,
  "epoch.publish": async ({ system }, { patient }) => {
    const { publicKey } = await system.suite.generateKeyPair();
    const earlier = (await patient.session.epochs()).length;
    const epoch = {
      owner: idOf(patient),
      region: "medical" as const,
      streamId: patient.owner.epochs[0]?.streamId ?? "",
      epochId: someId(),
      number: earlier + 1,
      suite: 1 as const,
      publicKey: toBase64Url(publicKey),
      createdAt: system.clock.now(),
    };
    return { json: { statement: await signStatement(EPOCH, epoch, patient.keys.signing) } };
  },
  "epoch.list": nothing,
  "ticket.read": async (world, target, caller, relation) => {
    const inEmergency = relation === "emergency" && caller !== null;
    const { sensor } = inEmergency ? await openedTo(world, caller) : target;
    const holder = await importSigningKey(generateSigningSeed());
    return {
      json: { streamId: sensor.streamId, holder: toBase64Url(holder.publicKey) },
      ...(caller === null ? {} : { key: caller.keys.signing }),
    };
  },
  "ticket.staff": async (_world, _target, caller) => {
    const holder = await importSigningKey(generateSigningSeed());
    const key = caller === null ? {} : { key: caller.keys.signing };
    return { json: { holder: toBase64Url(holder.publicKey) }, ...key };
  },
  "ticket.upload": (_world, { sensor }) => ({ json: { deviceId: sensor.deviceId } }),
  "ticket.forward": ({ system }) => ({ json: { cloudletId: system.cloudletAccount.accountId } }),
  "ticket-keys.list": nothing,
  "ticket-keys.ages": nothing,
  "ticket-keys.rotate": () => ({ json: { revoke: false } }),
  "audit.read": nothing,
  "audit.mine": nothing,
  "audit.head": nothing,
  "batch.upload": async ({ system }, { sensor }) => ({ bytes: await sealedBy(system, sensor, ++made) }),
  "batch.forward": async ({ system }, { sensor }) => ({
    bytes: await sealedBy(system, sensor, 1_000_000 + ++made),
    headers: { "Device-Ticket": sensor.ticket, "Received-At": String(system.clock.now()) },
  }),
  "batch.read": streamOf("/batches"),
  "batch.summary": (_world, { sensor }) => ({
    path: `/streams/${sensor.streamId}/summary?epochId=${sensor.epochId}`,
  }),
  "batch.follow": streamOf("/events"),
  ...ACCESS_SAMPLES,
  ...ACCOUNT_SAMPLES,
  ...COMMUNITY_SAMPLES,
  ...CONSENT_SAMPLES,
  ...DELETION_SAMPLES,
  ...EMERGENCY_SAMPLES,
  ...HELPER_SAMPLES,
  ...IDS_SAMPLES,
  ...MESH_SAMPLES,
  ...NOTE_SAMPLES,
  ...RECORD_SAMPLES,
  ...RESEARCH_SAMPLES,
};
