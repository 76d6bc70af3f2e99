import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  createIdentity,
  createKdcClient,
  createOwner,
  createRecordOwner,
  createSeenParts,
  type KdcSession,
  type Owner,
  type PersonKeys,
  personFingerprint,
} from "../client/index.ts";
import type { PatientRecord } from "../patient-record/index.ts";
import { enrolDemoFactor } from "./demo-authenticator.ts";
import type { DemoWorld } from "./demo-world.ts";

/** Somebody of the night whose keys live as long as the demo does. */
export interface NightPerson {
  readonly handle: string;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly fingerprint: string;
}

/** Clearly invented; it opens nothing outside this process. */
const PASSWORD = "a password of one night only";
const DAY_MS = 24 * 60 * 60 * 1000;

/** Registers somebody whom `inviter` invites; staff enrol a second factor in a folder of the demo. */
export async function joinNight(
  { toolkit, addresses, folder }: DemoWorld,
  inviter: KdcSession,
  role: "patient" | "doctor" | "security-officer" | "researcher",
  handle: string,
): Promise<NightPerson> {
  const { suite, clock, http } = toolkit;
  const { code } = await inviter.invite(role);
  const { keys, statement } = await createIdentity(suite, clock);
  const kdc = createKdcClient({ http, url: addresses.kdc, accountKey: keys.signing });
  await kdc.register({ invitation: code, handle, password: PASSWORD, identity: statement });
  const session = await kdc.login(handle, PASSWORD);
  if (session.secondFactor === "missing") {
    const home = join(folder, "people", handle);
    await mkdir(home, { recursive: true, mode: 0o700 });
    await enrolDemoFactor(session, { home, password: PASSWORD, clock });
  }
  return { handle, session, keys, fingerprint: personFingerprint(keys) };
}

/** What the demo's records are made of: the two things that anybody may know of a person, and one that nobody may. */
export interface Sleeper {
  readonly birthYear: number;
  readonly sex: "female" | "male";
  /** A code of SNOMED CT. */
  readonly diagnosis: string;
}

export function recordOf({ birthYear, sex, diagnosis }: Sleeper): PatientRecord {
  return {
    birthYear,
    sex,
    conditions: [
      {
        code: { codings: [{ system: "http://snomed.info/sct", code: diagnosis }] },
        onset: "2020-01-01",
        clinicalStatus: "active",
      },
    ],
  };
}

/** Seals a record into the cloud; its regions need epochs. */
export async function keepRecord(
  { toolkit, addresses }: DemoWorld,
  person: Pick<NightPerson, "session" | "keys">,
  owner: Owner,
  record: PatientRecord,
): Promise<void> {
  const seen = createSeenParts({}, async () => {});
  const { session, keys } = person;
  await createRecordOwner({ ...toolkit, session, keys, owner, cloudUrl: addresses.cloud, seen }).save(
    record,
    {},
  );
}

/** A patient with a record, who consents to research with somebody. Gives the account's id. */
export async function joinSleeper(
  world: DemoWorld,
  inviter: KdcSession,
  handle: string,
  sleeper: Sleeper,
  researcher: NightPerson,
): Promise<string> {
  const person = await joinNight(world, inviter, "patient", handle);
  const { suite, clock } = world.toolkit;
  const owner = createOwner({
    suite,
    clock,
    ...person,
    name: `Nobody (${handle})`,
    epochs: [],
    keepEpochs: async () => {},
  });
  await owner.startEpoch("profile");
  await owner.startEpoch("medical");
  await keepRecord(world, person, owner, recordOf(sleeper));
  const from = clock.now();
  await owner.share({
    reader: researcher.handle,
    expectedFingerprint: researcher.fingerprint,
    regions: ["profile", "medical"],
    purpose: "research",
    from,
    until: from + DAY_MS,
  });
  return person.session.account.accountId;
}
