import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { OwnedEpoch } from "../../../host/client/index.ts";
import {
  EMERGENCY_SHARE,
  type EmergencyShare,
  type SigningKey,
  sealEmergencyShares,
  signStatement,
} from "../../../host/sealing/index.ts";
import { asTrustees, emergencyOf, type Staff, staffOf, twinOf } from "../../support/emergency.ts";
import { backends } from "../../support/stores.ts";
import { type Patient, type Person, type System, startSystem } from "../../support/system.ts";
import { documentsOf, leavesNoTrace, someId } from "../http/attack.ts";

const idOf = ({ session }: Person) => session.account.accountId;

describe.each(backends())("shares for trustees, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let bo: Patient;
  let trustees: Staff[];
  let medical: OwnedEpoch;

  const call = (by: Person, method: "GET" | "POST", path: string, json?: unknown) =>
    by.session.call(z.unknown(), { method, path, ...(json === undefined ? {} : { json }) });

  /** A set that could be taken, to be spoilt. */
  const setOf = async (
    changes: Partial<EmergencyShare> = {},
    among: readonly Person[] = trustees,
    fingerprints?: readonly string[],
  ): Promise<EmergencyShare[]> => {
    const set = {
      setId: someId(),
      owner: idOf(ada),
      epochId: medical.epochId,
      threshold: 2,
      createdAt: system.clock.now(),
      ...changes,
    };
    const chosen = among.map((person, i) => ({
      accountId: idOf(person),
      fingerprint: fingerprints?.[i] ?? (person as Staff).fingerprint,
      receivingKey: person.keys.receiving.publicKey,
    }));
    const shares = await sealEmergencyShares(system.suite, set, chosen, medical.privateKey);
    return shares.map((share) => ({ ...share, ...changes }));
  };
  const post = async (by: Person, shares: readonly EmergencyShare[], key: SigningKey = by.keys.signing) => {
    const statements = await Promise.all(shares.map((share) => signStatement(EMERGENCY_SHARE, share, key)));
    return call(by, "POST", "/emergency-shares", { statements });
  };
  const refused = async (attempt: Promise<unknown>, status: number, code: string) => {
    await expect(attempt, code).rejects.toMatchObject({ status, code });
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada");
    bo = await system.patient("brave-wren", "Bo");
    medical = await ada.owner.startEpoch("medical");
    await ada.owner.startEpoch("profile");
    await bo.owner.startEpoch("medical");
    trustees = [await staffOf(system, "dr-heron"), await staffOf(system, "dr-stork")];
  });
  afterAll(() => system?.stop());

  it("come from the owner alone, whole, and for staff alone", async () => {
    const [first, second] = (await setOf()) as [EmergencyShare, EmergencyShare];
    const [heron] = trustees as [Staff];
    const twin = await twinOf(system, heron, "dr-heron-again");
    const profile = ada.owner.epochs.find(({ region }) => region === "profile") as OwnedEpoch;
    await leavesNoTrace(system, async () => {
      await refused(post(bo, [first, second]), 403, "EMERGENCY_OWNER_MISMATCH");
      await refused(post(bo, [first, second], ada.keys.signing), 400, "STATEMENT_INVALID");
      await refused(post(trustees[0] as Staff, [first, second]), 403, "ROLE_FORBIDDEN");
      for (const shares of [
        [first, { ...second, epochId: someId() }],
        [first, { ...second, setId: someId() }],
        [first, { ...second, threshold: 2, shares: 3 }],
        [first, { ...second, createdAt: first.createdAt + 1 }],
        [first, first],
        await setOf({ shares: 3 }),
        await setOf({ epochId: profile.epochId }),
        await setOf({ epochId: bo.owner.epochs[0]?.epochId as string }),
        await setOf({ epochId: someId() }),
        await setOf({ createdAt: system.clock.now() + 3_600_000 }),
        await setOf({}, [heron, twin]),
      ]) {
        await refused(post(ada, shares), 409, "EMERGENCY_SHARES_MISMATCH");
      }
      for (const shares of [
        await setOf({}, [heron, bo], [heron.fingerprint, "0".repeat(64)]),
        await setOf({}, trustees, [heron.fingerprint, "f".repeat(64)]),
        [first, { ...second, trustee: someId() }],
      ]) {
        await refused(post(ada, shares), 409, "EMERGENCY_TRUSTEE_MISMATCH");
      }
      for (const json of [
        {},
        { statements: [] },
        { statements: ["x"] },
        { statements: [{ $gt: "" }, "x"] },
      ]) {
        await refused(call(ada, "POST", "/emergency-shares", json), 400, "REQUEST_INVALID");
      }
    });
  });

  it("cannot name a patient as trustee, though the key be right", async () => {
    const accounts = await documentsOf(system.stores.kdc, "accounts");
    const own = accounts.find(({ _id }) => _id === idOf(bo))?.fingerprint as string;
    const shares = await setOf({}, [trustees[0] as Staff, bo], [(trustees[0] as Staff).fingerprint, own]);
    await leavesNoTrace(system, async () => {
      await refused(post(ada, shares), 409, "EMERGENCY_TRUSTEE_MISMATCH");
      await refused(call(ada, "GET", "/trustees/brave-wren"), 404, "ACCOUNT_UNKNOWN");
      await refused(call(ada, "GET", "/trustees/operator"), 404, "ACCOUNT_UNKNOWN");
      await refused(call(trustees[0] as Staff, "GET", "/trustees/dr-heron"), 403, "ROLE_FORBIDDEN");
    });
  });

  it("are replaced by newer ones, never by older ones, and not changed under their id", async () => {
    const now = system.clock.now();
    const first = await setOf({ createdAt: now - 1000 });
    await post(ada, first);
    await leavesNoTrace(system, async () => {
      await refused(post(ada, first), 409, "EMERGENCY_SHARES_OUTDATED");
      await refused(post(ada, await setOf({ createdAt: now - 2000 })), 409, "EMERGENCY_SHARES_OUTDATED");
    });
    await post(ada, await setOf({ createdAt: now - 500 }));
    expect(await documentsOf(system.stores.kdc, "emergency_shares")).toHaveLength(1);

    const [second] = (await setOf({ createdAt: now })) as [EmergencyShare];
    const newest = await setOf({ createdAt: now, setId: second.setId });
    await post(ada, newest);
    const next = await ada.owner.startEpoch("medical");
    const crane = await staffOf(system, "officer-crane", "security-officer");
    await leavesNoTrace(system, async () => {
      const others = { setId: second.setId, createdAt: now, epochId: next.epochId };
      const among = [trustees[0] as Staff, crane];
      await refused(post(ada, await setOf(others, among)), 409, "EMERGENCY_SHARES_MISMATCH");
      const three = await setOf(others, [...trustees, crane]);
      await refused(post(ada, three), 409, "EMERGENCY_SHARES_MISMATCH");
    });
    await post(ada, await setOf({ setId: second.setId, createdAt: now, epochId: next.epochId }));
    expect(await call(ada, "GET", "/emergency-shares")).toMatchObject({
      sets: [{ setId: second.setId }, { setId: second.setId }],
    });
    expect(await call(bo, "GET", "/emergency-shares")).toEqual({ sets: [] });
  });

  it("follow the plan that the patient's own machine keeps", async () => {
    const patient = await system.patient("wary-lark", "La");
    await patient.owner.startEpoch("medical");
    const { emergency, kept } = emergencyOf(system, patient);
    expect(await emergency.catchUp()).toEqual({ epochs: 0 });
    for (const [chosen, threshold] of [
      [trustees, 1],
      [trustees, 3],
      [trustees.slice(1), 2],
      [[trustees[0], trustees[0]], 2],
    ] as const) {
      const attempt = emergency.prepare({ trustees: asTrustees(chosen as readonly Staff[]), threshold });
      await refused(attempt, 400, "EMERGENCY_THRESHOLD");
    }
    const [heron, stork] = asTrustees(trustees) as [
      ReturnType<typeof asTrustees>[0],
      ReturnType<typeof asTrustees>[0],
    ];
    const wrong = { ...stork, expectedFingerprint: "0".repeat(64) };
    await refused(emergency.prepare({ trustees: [heron, wrong], threshold: 2 }), 409, "TRUSTEE_CHANGED");
    expect(kept).toEqual([]);
    await emergency.prepare({ trustees: [heron, stork], threshold: 2 });
    expect(kept).toEqual([emergency.plan]);

    // On another day, from what was kept: a trustee whose key is another than chosen gets nothing.
    const again = emergencyOf(system, patient, emergency.plan).emergency;
    expect(await again.catchUp()).toEqual({ epochs: 0 });
    await patient.owner.startEpoch("medical");
    const plan = emergency.plan as NonNullable<typeof emergency.plan>;
    const bent = {
      ...plan,
      trustees: plan.trustees.map((trustee) => ({ ...trustee, fingerprint: "0".repeat(64) })),
    };
    await refused(emergencyOf(system, patient, bent).emergency.catchUp(), 409, "TRUSTEE_CHANGED");
    expect(await again.catchUp()).toEqual({ epochs: 1 });
  });
});
