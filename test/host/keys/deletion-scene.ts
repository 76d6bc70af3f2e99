import { randomBytes, toBase64Url } from "../../../host/base/index.ts";
import {
  armRecovery,
  createDataDeletion,
  createHttpClient,
  createPatientNotes,
  type DataDeletion,
  type Fetch,
  type KeystoreContents,
  keepBackup,
  lockKeystoreWithKey,
  nameGuardians,
  ownNotedStream,
} from "../../../host/client/index.ts";
import { asTrustees, emergencyOf, type Staff } from "../../support/emergency.ts";
import { type Disk, recordOwnerOf, shareRecord } from "../../support/records.ts";
import {
  type Doctor,
  dumpOf,
  PASSWORD,
  type Patient,
  type Person,
  type System,
} from "../../support/system.ts";
import { replay, type Sensor, sealedBy, sensorOf, snapshot, uploadBy } from "../http/attack.ts";

/** A patient with a bit of everything that the services keep of people. */
export interface Settled {
  readonly patient: Patient;
  readonly sensor: Sensor;
  readonly streams: readonly string[];
  readonly disk: Disk;
}

export async function settle(
  system: System,
  handle: string,
  others: { readonly doctor: Doctor; readonly trustees: readonly Staff[]; readonly guardian: Person },
): Promise<Settled> {
  const { suite, clock } = system;
  const http = createHttpClient({ clock });
  const patient = await system.patient(handle, "Somebody Real");
  const { session, keys, owner } = patient;
  await owner.startEpoch("medical");
  const sensor = await sensorOf(system, patient);
  for (let sequence = 0; sequence < 3; sequence++) {
    await replay(await uploadBy(system, sensor, await sealedBy(system, sensor, sequence)));
  }
  const disk: Disk = { epochs: owner.epochs, seen: {} };
  await recordOwnerOf(system, patient, disk).save({ mothersMaidenName: "Old", birthYear: 1950 }, {});
  await shareRecord(system, patient, others.doctor, ["identity", "profile", "medical"], disk);
  const accountId = session.account.accountId;
  const stream = await ownNotedStream(suite, { accountId, keys, epochs: disk.epochs });
  await createPatientNotes({
    suite,
    clock,
    http,
    session,
    keys,
    name: "x",
    cloudUrl: system.cloud.url,
  }).write(stream, { text: "a note" });
  const contents: KeystoreContents = {
    ...{ accountId, handle, role: "patient", name: "Ada", epochs: [], known: {} },
    signingSeed: toBase64Url(patient.secrets[0] as Uint8Array),
    receivingKey: toBase64Url(patient.secrets[1] as Uint8Array),
  };
  const locked = await lockKeystoreWithKey(contents, "a passphrase of some length");
  await keepBackup({ session, suite, keys, locked, version: 1 });
  await armRecovery(session, randomBytes(20), contents, { password: PASSWORD });
  const { account } = others.guardian.session;
  const cards = [{ accountId: account.accountId, handle: account.handle, identity: account.identity }];
  const given = { password: PASSWORD };
  await nameGuardians({
    ...{ session, suite, clock, keys, contents, given, threshold: 2 },
    cards: [...cards, ...others.trustees.slice(0, 1).map(({ session: s }) => s.account)],
  });
  await emergencyOf(system, patient).emergency.prepare({
    trustees: asTrustees(others.trustees),
    threshold: 2,
  });
  await snapshot(system);
  return { patient, sensor, streams: [...new Set(disk.epochs.map(({ streamId }) => streamId))], disk };
}

export function deletionOf(system: System, { session, keys }: Person, fetchOver?: Fetch): DataDeletion {
  const { clock, cloud } = system;
  const http = createHttpClient({ clock, ...(fetchOver === undefined ? {} : { fetch: fetchOver }) });
  return createDataDeletion({ clock, http, session, keys, cloudUrl: cloud.url });
}

/** What of a patient is left: collection and id of every document that names the account, a device or a stream. */
export async function leftOf(system: System, { patient, sensor, streams }: Settled): Promise<string[]> {
  const names = [patient.session.account.accountId, sensor.deviceId, ...streams];
  const left: string[] = [];
  for (const [service, store] of Object.entries(system.stores)) {
    for (const { collection, document } of await dumpOf(store)) {
      // Measures against attackers are of a few days, and go by themselves.
      const text = JSON.stringify(document);
      if (!collection.startsWith("ids_") && names.some((name) => text.includes(name))) {
        left.push(`${service} ${collection}`);
      }
    }
  }
  return [...new Set(left)].sort();
}
