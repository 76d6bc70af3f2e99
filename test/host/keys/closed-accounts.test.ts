import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type AccountClient, createAccountClient, createOwner } from "../../../host/client/index.ts";
import { type Account, createAccounts, createDevices } from "../../../host/identity/index.ts";
import { createConsents, createEpochs, createOpenAccounts } from "../../../host/keys/index.ts";
import { createReleases } from "../../../host/keys/releases.ts";
import { asTrustees, emergencyOf, staffOf } from "../../support/emergency.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import { kdcOf, type Sensor, sensorOf, someId } from "../http/attack.ts";

const ANY = z.unknown();

describe.each(backends())("an account that is closed, on the $name store", (backend) => {
  let system: System;
  let officer: AccountClient;
  let ada: Patient;
  let heron: Doctor;
  let sensor: Sensor;
  let consentId: string;

  const closedDuring = async (handle: string, work: () => Promise<void>): Promise<void> => {
    await officer.suspend(handle, true);
    try {
      await work();
    } finally {
      await officer.suspend(handle, false);
    }
  };
  const share = (by: Patient, to: Pick<Doctor, "handle" | "fingerprint">) =>
    by.owner.share(termsFor(system, to));
  /** What a reader gets of the patient; each by its refusal's code, or "given". */
  const reached = async () => {
    const outcome = (attempt: Promise<unknown>) =>
      attempt.then(
        () => "given",
        (error) => error.code as string,
      );
    const { session, keys } = heron;
    return {
      grants: (await session.call(z.object({ grants: z.array(ANY) }), { method: "GET", path: "/grants" }))
        .grants.length,
      key: await outcome(session.call(ANY, { method: "GET", path: `/consents/${consentId}/keys` })),
      ticket: await outcome(session.readTicket(sensor.streamId, keys.signing)),
      record: await outcome(
        session.call(ANY, { method: "GET", path: `/streams/${sensor.streamId}/record-part` }),
      ),
      upload: await outcome(kdcOf(system).uploadTicket(sensor.deviceId, sensor.key)),
    };
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    officer = createAccountClient((await staffOf(system, "day-watch", "security-officer")).session);
    ada = await system.patient("quiet-otter", "Ada");
    await ada.owner.startEpoch("medical");
    sensor = await sensorOf(system, ada);
    heron = await system.doctor("dr-heron");
    ({ consentId } = await share(ada, heron));
  });
  afterAll(() => system?.stop());

  it("is a patient's: its wearables get no ticket and its readers nothing, until it is open again", async () => {
    const all = { grants: 1, key: "given", ticket: "given", record: "given", upload: "given" };
    expect(await reached()).toEqual(all);
    await closedDuring("quiet-otter", async () => {
      expect(await reached()).toEqual({
        grants: 0,
        key: "CONSENT_MISSING",
        ticket: "CONSENT_MISSING",
        record: "CONSENT_MISSING",
        upload: "DEVICE_OWNER_CLOSED",
      });
    });
    // Nothing that the owner signed has changed.
    expect(await reached()).toEqual(all);
    ada = { ...ada, ...(await relogged(ada, "quiet-otter")) };
  });

  /** The same patient with a session of now: the closing has ended the one before. */
  const relogged = async (patient: Patient, handle: string) => ownerWith(patient, await system.login(handle));
  const ownerWith = (patient: Patient, session: Patient["session"]) => {
    const { suite, clock } = system;
    const owner = createOwner({
      ...{ suite, clock, session, keys: patient.keys, name: "Ada" },
      epochs: patient.owner.epochs,
      keepEpochs: async () => {},
    });
    return { session, owner };
  };

  it("is a doctor's: nobody finds it, shares with it, makes it a trustee, or wraps a key for it", async () => {
    const [stork, crane, swift] = [
      await staffOf(system, "dr-stork"),
      await staffOf(system, "dr-crane"),
      await staffOf(system, "dr-swift"),
    ];
    const { epochId } = await ada.owner.startEpoch("medical");
    const missing = async () =>
      (
        await ada.session.call(z.object({ missing: z.array(z.unknown()) }), {
          method: "GET",
          path: `/epochs/${epochId}/missing-keys`,
        })
      ).missing.length;
    expect(await missing()).toBe(1);
    const { emergency } = emergencyOf(system, ada);
    await emergency.prepare({ trustees: asTrustees([stork, crane]), threshold: 2 });
    await closedDuring("dr-heron", async () => {
      expect(await missing()).toBe(0);
      await expect(ada.session.lookUp("dr-heron")).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
      await expect(share(ada, heron)).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
    });
    expect(await missing()).toBe(1);
    await closedDuring("dr-stork", async () => {
      await expect(emergency.lookUpTrustee("dr-stork")).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
      await expect(
        emergency.prepare({ trustees: asTrustees([stork, swift]), threshold: 2 }),
      ).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
      // Who is a trustee already does not keep the patient from a new epoch.
      await ada.owner.startEpoch("medical");
      expect(await emergency.catchUp()).toEqual({ epochs: 1 });
    });
    // A client that found the trustee before they left gets no further.
    const earlier = {
      ...ada.session,
      call: async (...[schema, how]: Parameters<typeof ada.session.call>) => {
        if (how.method === "POST" && how.path === "/emergency-shares") {
          await officer.suspend("dr-swift", true);
        }
        return ada.session.call(schema, how);
      },
    } as Patient["session"];
    const late = emergencyOf(system, { ...ada, session: earlier }).emergency;
    await expect(late.prepare({ trustees: asTrustees([swift, crane]), threshold: 2 })).rejects.toMatchObject({
      code: "EMERGENCY_TRUSTEE_MISMATCH",
    });
    await officer.suspend("dr-swift", false);
    // Nobody is shared with whom the patient's machine found a moment before they left, either.
    const reader = { ...heron, handle: "dr-heron" };
    const meanwhile = {
      ...ada.session,
      giveConsent: async (...given: Parameters<typeof ada.session.giveConsent>) => {
        await officer.suspend("dr-heron", true);
        return ada.session.giveConsent(...given);
      },
    };
    const { owner } = ownerWith(ada, meanwhile);
    await expect(share({ ...ada, owner }, reader)).rejects.toMatchObject({ code: "CONSENT_READER_CLOSED" });
    await officer.suspend("dr-heron", false);
  });

  it("hands out nothing any more once the closing is acknowledged, however many ask at once", async () => {
    let before = 0;
    for (let round = 0; round < 4; round++) {
      const session = await system.login("dr-heron");
      const whose = round % 2 === 0 ? "dr-heron" : "quiet-otter";
      let acknowledgedAt = Number.POSITIVE_INFINITY;
      const late: string[] = [];
      const ask = async (what: string, once: () => Promise<boolean>) => {
        for (;;) {
          const given = await once().catch(() => false);
          const after = performance.now() >= acknowledgedAt;
          if (given && after) {
            late.push(`${what} of ${whose}`);
          }
          before += given && !after ? 1 : 0;
          if (after) {
            return;
          }
        }
      };
      const asking = Array.from({ length: 4 }, () => [
        ask("ticket", async () => (await session.readTicket(sensor.streamId, heron.keys.signing)) !== null),
        ask("key", async () => {
          await session.call(ANY, { method: "GET", path: `/consents/${consentId}/keys` });
          return true;
        }),
        ask("grant", async () => (await session.grants()).length > 0),
        // A reader's closing is nothing to the patient's wearable.
        ...(whose === "dr-heron"
          ? []
          : [
              ask("upload", async () => {
                await kdcOf(system).uploadTicket(sensor.deviceId, sensor.key);
                return true;
              }),
            ]),
      ]).flat();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await officer.suspend(whose, true);
      for (let turn = 0; turn < 10; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      acknowledgedAt = performance.now();
      await Promise.all(asking);
      await officer.suspend(whose, false);
      expect(late).toEqual([]);
    }
    expect(before).toBeGreaterThan(4);
  });

  it("is refused where its session was looked at before, and waited for where the answer had begun", async () => {
    const { clock } = system;
    const store = system.stores.kdc;
    const accounts = await createAccounts(store, clock);
    const devices = await createDevices(store, clock);
    const consents = await createConsents(store, await createEpochs(store), clock);
    const releases = createReleases(60_000);
    const open = createOpenAccounts({ accounts, devices, consents, releases, clock });
    const { identity } = heron.session.account;
    const doctor = await accounts.create({ handle: "dr-owl", role: "doctor", password: null, identity });

    let begun: (outcome: unknown) => void = () => {};
    let answer: ServerResponse | undefined;
    let receiver: string | undefined;
    const server = createServer(async (_request, response) => {
      answer = response;
      if (receiver !== undefined) {
        releases.begin(receiver, response);
        begun(undefined);
        return;
      }
      begun(await open.begin(doctor, response).catch((error) => error.code));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const ask = (): Promise<unknown> =>
      new Promise((resolve) => {
        begun = resolve;
        const { port } = server.address() as AddressInfo;
        request({ port, host: "127.0.0.1" })
          .on("error", () => {})
          .end();
      });

    const closed: Account = await accounts.renew(doctor, { suspendedAt: clock.now() });
    const patient = (await accounts.byHandle("quiet-otter")) as Account;
    // Its own answers, and those of a patient's wearable and of whom they let read.
    for (const [account, to] of [
      [closed, doctor._id],
      [patient, patient._id],
      [patient, sensor.deviceId],
      [patient, heron.session.account.accountId],
    ] as const) {
      receiver = to;
      await ask();
      let settled = false;
      const waiting = open.settled(account).then(() => {
        settled = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(settled).toBe(false);
      answer?.end();
      await waiting;
    }
    receiver = undefined;
    // `doctor` is the account as it was when the session was looked at.
    expect(await ask()).toBe("ACCOUNT_SUSPENDED");
    expect(await open.isOpen(someId())).toBe(false);
    server.closeAllConnections();
    server.close();
  });
});
