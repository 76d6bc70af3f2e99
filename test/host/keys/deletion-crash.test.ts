import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, createAccounts, createNotices } from "../../../host/identity/index.ts";
import { createConsents, createDeletions, createEpochs } from "../../../host/keys/index.ts";
import type { Collection, Store } from "../../../host/store/index.ts";
import { lineThatBreaks } from "../../support/broken-line.ts";
import { overLine, recordOwnerOf, shareRecord } from "../../support/records.ts";
import { backendsOfLongRuns } from "../../support/stores.ts";
import { type Doctor, PASSWORD, type System, startSystem } from "../../support/system.ts";
import { replay, sealedBy, sensorOf, snapshot, uploadBy } from "../http/attack.ts";
import { deletionOf, leftOf, type Settled } from "./deletion-scene.ts";

const RESIDUE = [
  "cloud stream_tombstones",
  "cloudlet spool",
  "kdc accounts",
  "kdc audit",
  "kdc deletions",
  "kdc invitations",
];

/** A store that dies when so much was deleted of it. */
function dying(store: Store, deletions: number): Store {
  let left = deletions;
  return {
    ...store,
    collection: async <T extends { _id: string }>(spec: Parameters<Store["collection"]>[0]) => {
      const real: Collection<T> = await store.collection<T>(spec as never);
      return {
        ...real,
        deleteMany: (...filter: Parameters<Collection<T>["deleteMany"]>) =>
          left-- > 0 ? real.deleteMany(...filter) : Promise.reject(new Error("killed")),
      };
    },
  };
}

describe.each(backendsOfLongRuns())("a deletion that is cut off on the $name store", (backend) => {
  let system: System;
  let heron: Doctor;
  let made = 0;
  beforeAll(async () => {
    system = await startSystem(backend);
    heron = await system.doctor("dr-heron");
  });
  afterAll(() => system?.stop());

  const settled = async (): Promise<Settled> => {
    const patient = await system.patient(`otter-${++made}`, "Otter");
    await patient.owner.startEpoch("medical");
    const sensor = await sensorOf(system, patient);
    await replay(await uploadBy(system, sensor, await sealedBy(system, sensor, 0)));
    const disk = { epochs: patient.owner.epochs, seen: {} };
    await recordOwnerOf(system, patient, disk).save({ birthYear: 1950 }, {});
    await shareRecord(system, patient, heron, ["medical"], disk);
    await snapshot(system);
    return { patient, sensor, streams: [...new Set(disk.epochs.map(({ streamId }) => streamId))], disk };
  };

  it("anywhere between the patient's machine and the services goes on where it was", async () => {
    const confirm = { password: PASSWORD, handle: "" };
    let cuts = 0;
    for (let requests = 0; ; requests += 2) {
      const one = await settled();
      const { handle } = one.patient.session.account;
      const line = lineThatBreaks(requests % 4 === 0 ? "answer" : "request");
      const cut = deletionOf(system, await overLine(system, one.patient, line.fetch), line.fetch);
      await cut.announce({ password: PASSWORD });
      line.breakAfter(requests);
      const outcome = await cut.run({ confirm: { ...confirm, handle } }).then(
        () => "done",
        ({ code }) => code,
      );
      if (!line.broke()) {
        expect(outcome).toBe("done");
        break;
      }
      cuts++;
      expect(outcome, `cut after ${requests}`).toBe("SERVICE_UNREACHABLE");
      await deletionOf(system, one.patient)
        .run({ confirm: { ...confirm, handle } })
        // Where the answer to the last request was lost, there is no account any more.
        .catch(({ code }) => expect(code).toBe("SESSION_INVALID"));
      expect(await leftOf(system, one), `cut after ${requests}`).toEqual(RESIDUE);
    }
    expect(cuts).toBeGreaterThan(5);
  }, 120_000);

  it("inside the KDC is finished when it starts again", async () => {
    const { clock } = system;
    const store = system.stores.kdc;
    const roomsOn = async (of: Store) => {
      const accounts = await createAccounts(of, clock);
      const epochs = await createEpochs(of);
      return createDeletions({
        ...{ store: of, clock, accounts, epochs, settled: async () => {} },
        ...{ consents: await createConsents(of, epochs, clock), notices: await createNotices(of, clock) },
      });
    };
    for (const deletions of [0, 11, 18]) {
      const one = await settled();
      const { accountId } = one.patient.session.account;
      const accounts = await createAccounts(store, clock);
      const account = (await accounts.byId(accountId)) as Account;
      const killed = await roomsOn(dying(store, deletions));
      await killed.announce(account);
      await killed.begin(account, true);
      await expect(killed.finish(account, one.streams)).rejects.toThrow("killed");
      expect(await leftOf(system, one), `after ${deletions}`).not.toEqual(RESIDUE);
      // From the first step on nobody gets in, however long the KDC is down.
      await expect(system.login(account.handle)).rejects.toMatchObject({ code: "LOGIN_FAILED" });
      await (await roomsOn(store)).resume();
      const left = (await leftOf(system, one)).filter((place) => place.startsWith("kdc"));
      expect(left, `after ${deletions}`).toEqual(RESIDUE.filter((place) => place.startsWith("kdc")));
    }
  }, 120_000);
});
