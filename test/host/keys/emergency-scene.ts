import { expect } from "vitest";
import { z } from "zod";
import type { Emergency, KnownEmergency } from "../../../host/client/index.ts";
import {
  EMERGENCY_APPROVAL,
  EMERGENCY_REQUEST,
  type EmergencyApproval,
  type EmergencyRequest,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import { asTrustees, emergencyOf, REASON, type Staff, staffOf } from "../../support/emergency.ts";
import { dumpOf, type Patient, type Person, type System } from "../../support/system.ts";
import { leavesNoTrace, someId } from "../http/attack.ts";

export const MINUTE_MS = 60_000;
export const idOf = ({ session }: Person): string => session.account.accountId;

export function call(
  by: Person,
  method: "GET" | "POST" | "DELETE",
  path: string,
  json?: unknown,
): Promise<unknown> {
  return by.session.call(z.unknown(), { method, path, ...(json === undefined ? {} : { json }) });
}

/** What the KDC's audit log says that was done with an object. */
export async function auditedOf(system: System, action: string, object: string) {
  return (await dumpOf(system.stores.kdc)).filter(
    ({ collection, document }) =>
      collection === "audit" && document.action === action && document.object === object,
  );
}

/** Every refusal has a status and a stable code. */
export async function refused(attempt: Promise<unknown>, status: number, code: string): Promise<void> {
  await expect(attempt, code).rejects.toMatchObject({ status, code });
}

/** A patient who prepared, one who did not, three trustees, and a doctor whom nobody chose. */
export interface Scene {
  readonly ada: Patient;
  readonly bo: Patient;
  readonly prepared: Emergency;
  readonly trustees: readonly [Staff, Staff, Staff];
  readonly stranger: Staff;
  /** One doctor may request twenty times an hour: each test has its own. */
  newDoctor(): Promise<Staff>;
  /** Does something hostile and checks that no store changed by it. */
  unchanged(attack: () => Promise<unknown>): Promise<void>;
  requestOf(by: Person, changes?: Partial<EmergencyRequest>): EmergencyRequest;
  send(by: Person, request: EmergencyRequest, key?: SigningKey): Promise<unknown>;
  open(by: Staff): Promise<KnownEmergency>;
  approve(by: Staff, emergency: KnownEmergency, of: Staff): Promise<KnownEmergency>;
  /** An approval in whatever form; what it hands on is garbage, which the KDC cannot know. */
  approvalOf(
    by: Person,
    emergency: KnownEmergency,
    of: Staff,
    changes?: Partial<EmergencyApproval>,
  ): EmergencyApproval;
  sendApproval(
    by: Person,
    emergency: Pick<KnownEmergency, "emergencyId">,
    approval: EmergencyApproval,
    key?: SigningKey,
  ): Promise<unknown>;
}

export async function createScene(system: System): Promise<Scene> {
  const ada = await system.patient("quiet-otter", "Ada");
  const bo = await system.patient("brave-wren", "Bo");
  await ada.owner.startEpoch("identity");
  await ada.owner.startEpoch("medical");
  await bo.owner.startEpoch("medical");
  const trustees = [
    await staffOf(system, "dr-heron"),
    await staffOf(system, "dr-stork"),
    await staffOf(system, "officer-crane", "security-officer"),
  ] as const;
  const prepared = emergencyOf(system, ada).emergency;
  await prepared.prepare({ trustees: asTrustees(trustees), threshold: 2 });
  const stranger = await staffOf(system, "dr-magpie");
  const everybody: Person[] = [ada, bo, ...trustees, stranger, system.operator];
  let doctors = 0;
  return {
    ada,
    bo,
    prepared,
    trustees,
    stranger,
    async newDoctor() {
      const doctor = await staffOf(system, `dr-swift-${doctors++}`);
      everybody.push(doctor);
      return doctor;
    },
    async unchanged(attack) {
      // Where the clock was moved, sessions are renewed at the next request: that is no trace of the attack.
      for (const person of everybody) {
        await call(person, "GET", "/accounts/me");
      }
      await leavesNoTrace(system, attack);
    },
    requestOf: (by, changes = {}) => ({
      emergencyId: someId(),
      requester: idOf(by),
      patient: "quiet-otter",
      reason: REASON,
      requestedAt: system.clock.now(),
      until: system.clock.now() + 30 * MINUTE_MS,
      ...changes,
    }),
    send: async (by, request, key = by.keys.signing) =>
      call(by, "POST", "/emergencies", { statement: await signStatement(EMERGENCY_REQUEST, request, key) }),
    open: (by) => by.emergency.request({ patient: "quiet-otter", reason: REASON, minutes: 30 }),
    approve: (by, { emergencyId }, of) =>
      by.emergency.approve({ emergencyId, expectedFingerprint: of.fingerprint }),
    approvalOf: (by, emergency, of, changes = {}) => ({
      emergencyId: emergency.emergencyId,
      approver: idOf(by),
      requester: idOf(of),
      requesterFingerprint: of.fingerprint,
      setId: prepared.plan?.setId as string,
      epochs: emergency.epochIds.map((epochId) => ({
        epochId,
        enc: "A".repeat(1283),
        ciphertext: "A".repeat(66),
      })),
      approvedAt: system.clock.now(),
      expiresAt: system.clock.now() + 10 * MINUTE_MS,
      ...changes,
    }),
    sendApproval: async (by, { emergencyId }, approval, key = by.keys.signing) =>
      call(by, "POST", `/emergencies/${emergencyId}/approvals`, {
        statement: await signStatement(EMERGENCY_APPROVAL, approval, key),
      }),
  };
}
