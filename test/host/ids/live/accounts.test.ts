import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createHttpClient, createIdsClient, createKdcClient } from "../../../../host/client/index.ts";
import { asTrustees, emergencyOf, REASON, staffOf } from "../../../support/emergency.ts";
import { backends } from "../../../support/stores.ts";
import { type Doctor, eventually, type Patient, type System, startSystem } from "../../../support/system.ts";
import { keptOf, officerAt } from "./world.ts";

describe.each(backends())("an account that does what accounts do not, on the $name store", (backend) => {
  let system: System;
  let doctor: Doctor;
  let patients: Patient[];

  beforeAll(async () => {
    system = await startSystem(backend, { trustProxies: 1, ids: { mode: "enforce" } });
    doctor = await system.doctor("dr-curious");
    patients = [];
    for (let i = 0; i < 6; i++) {
      const patient = await system.patient(`patient-${i}`, "Somebody Real");
      await patient.owner.startEpoch("medical");
      patients.push(patient);
    }
  });
  afterAll(() => system?.stop());

  it("is asked for its key once it probed the consents of many, and goes on with it and not without", async () => {
    const { session, keys } = doctor;
    for (const { owner } of patients) {
      const streamId = owner.epochs[0]?.streamId ?? "";
      await expect(session.readTicket(streamId, keys.signing)).rejects.toMatchObject({
        code: "CONSENT_MISSING",
      });
    }
    await system.services.kdc.ids.settled();
    const [decision] = await keptOf(system, "kdc", "decisions");
    expect(decision).toMatchObject({ kind: "account", measure: "challenge" });
    // The session alone, as a thief of it has it.
    await expect(session.lookUp("dr-curious")).rejects.toMatchObject({ code: "IDS_CHALLENGED" });
    // The same session with the account's key, which the client shows by itself; not with another's.
    const http = createHttpClient({ clock: system.clock });
    const as = (accountKey: typeof keys.signing) =>
      createKdcClient({ http, url: system.kdc.url, accountKey }).resume({
        token: session.token,
        expiresAt: session.expiresAt,
      });
    expect((await (await as(keys.signing)).lookUp("dr-curious")).handle).toBe("dr-curious");
    const thief = await as((patients[0] as Patient).keys.signing);
    await expect(thief.lookUp("dr-curious")).rejects.toMatchObject({ code: "PROOF_KEY_MISMATCH" });
    // What a person must always be able to do: see who they are and what they were told, and end a thief's session.
    await expect(as(keys.signing)).resolves.toHaveProperty("account");
    // Nobody else is asked for anything.
    await expect((patients[0] as Patient).session.lookUp("dr-curious")).resolves.toHaveProperty("handle");
    system.clock.advance(2 * 3_600_000);
    await expect(session.lookUp("dr-curious")).resolves.toHaveProperty("handle");
  });

  it("reads on in an emergency that trustees opened, and nothing else", async () => {
    const night = await staffOf(system, "dr-night");
    const trustees = [await staffOf(system, "trustee-a"), await staffOf(system, "trustee-b")];
    const [patient, other] = patients as [Patient, Patient];
    await emergencyOf(system, patient).emergency.prepare({ trustees: asTrustees(trustees), threshold: 2 });
    for (const { owner } of patients) {
      const streamId = owner.epochs[0]?.streamId ?? "";
      await night.session.readTicket(streamId, night.keys.signing).catch(() => {});
    }
    await expect(night.session.lookUp("dr-night")).rejects.toMatchObject({ code: "IDS_CHALLENGED" });
    // Break-glass with the session alone.
    const { emergencyId } = await night.emergency.request({
      patient: patient.session.account.handle,
      reason: REASON,
      minutes: 30,
    });
    for (const { emergency } of trustees) {
      await emergency.approve({ emergencyId, expectedFingerprint: night.fingerprint });
    }
    const show = ({ owner }: Patient) =>
      night.session.call(z.unknown(), {
        method: "GET",
        path: `/streams/${owner.epochs[0]?.streamId}/record-part`,
      });
    await expect(show(patient)).resolves.toBeDefined();
    await expect(show(other)).rejects.toMatchObject({ code: "IDS_CHALLENGED" });
  });

  it("is shown to officers who watch as it happens, and to nobody else", async () => {
    const officer = await system.person("security-officer", "officer");
    const at = await officerAt(system, "cloud", officer);
    const ids = createIdsClient({ http: at.http, url: system.cloud.url, ticket: async () => at.ticket });
    const controller = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const news of ids.follow(controller.signal)) {
        seen.push(news.event);
      }
    })();
    let attempt = 0;
    await eventually(async () => {
      await fetch(`${system.cloud.url}/v1/nowhere?q=1'%20UNION%20SELECT%20a%20FROM%20b--${attempt++}`, {
        headers: { "X-Forwarded-For": `192.0.2.${Math.floor(attempt / 8)}` },
      });
      return seen.includes("decision");
    });
    expect(seen).toContain("alert");
    controller.abort();
    await following.catch(() => {});
    const { decisions } = await ids.decisions();
    const [{ id } = { id: "" }] = decisions;
    expect((await ids.explain(id)).decision.id).toBe(id);
    expect(await ids.members()).toEqual([]);
  });
});
