import { type Clock, createInTurn, MedcloudletError } from "../base/index.ts";
import { type Account, type Accounts, type Device, deviceKey, type Notices } from "../identity/index.ts";
import {
  callReason,
  EMERGENCY_CALL,
  EMERGENCY_CALL_REPORT,
  EMERGENCY_DUTY,
  type EmergencyCall,
  type EmergencyCallReport,
  type EmergencyDuty,
  verifyStatement,
} from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import type { Emergencies } from "./emergencies.ts";
import { CLOCK_SKEW_MS, type Emergency, isOpen } from "./emergency-record.ts";
import type { EmergencyShares } from "./emergency-shares.ts";
import { approvalsNeeded, checkDuration, phaseOf } from "./emergency-state.ts";

/** What came of a device's call. */
export type CallOutcome =
  /** A request stands, in the name of a doctor on duty; nothing is released without the trustees. */
  | "opened"
  /** A doctor on duty could not be found: called again, it opens once there is one. */
  | "nobody-on-duty"
  /** The patient chose no trustees: only a consent can help. */
  | "unprepared"
  /** The request of this very call has ended: a new call opens another. */
  | "over";

/** A doctor's shift: the newest word of each. */
interface Duty {
  /** The doctor's account. */
  readonly _id: string;
  readonly statement: string;
  readonly from: number;
  readonly until: number;
}

/** Break-glass begun by a wearable: calls of devices, and doctors on duty whom they find. */
export interface DeviceCalls {
  /**
   * Takes a doctor's signed shift; one whose `until` has come ends it.
   * @throws MedcloudletError `STATEMENT_INVALID`, `EMERGENCY_REQUESTER_MISMATCH` (403), `DUTY_STALE` (403)
   */
  onDuty(doctor: Account, statement: string): Promise<EmergencyDuty>;
  /**
   * Takes a call that a device has signed: opens one request for the patient's trustees to decide, in the name of
   * whoever on duty has the fewest. The patient is told whatever comes of it. Sent again, or while an earlier one of the
   * same patient still runs, it opens nothing more. One that still waits in the name of a doctor who is off duty or whose
   * account is closed gives way as soon as another doctor can be asked.
   * @throws MedcloudletError `STATEMENT_INVALID`, `CALL_MISMATCH` (403), `CALL_STALE` (403), `EMERGENCY_TIME_LIMIT`
   */
  call(
    device: Device,
    statement: string,
  ): Promise<{
    outcome: CallOutcome;
    emergency: Emergency | null;
    call: EmergencyCall;
    /** The request that was given up, if one was. */
    givenUp?: string;
  }>;
  /** Checks what a device says of its call. @throws MedcloudletError `STATEMENT_INVALID`, `CALL_MISMATCH` */
  report(device: Device, callId: string, statement: string): Promise<EmergencyCallReport>;
}

const MEDICAL = "medical";
/** Of so many shifts the next requester is chosen. */
const ON_DUTY_MOST = 200;
/** How old a signed shift may be when it arrives, beyond the clock skew. */
const FRESH_MS = 60_000;

function mismatch(why: string): MedcloudletError {
  return new MedcloudletError("CALL_MISMATCH", `The call does not fit: ${why}. Sign one of this device.`, {
    status: 403,
  });
}

export async function createDeviceCalls(
  store: Store,
  rooms: {
    readonly accounts: Accounts;
    readonly shares: EmergencyShares;
    readonly notices: Notices;
    readonly emergencies: Emergencies;
  },
  clock: Clock,
): Promise<DeviceCalls> {
  const { accounts, shares, notices, emergencies } = rooms;
  const duties = await store.collection<Duty>({
    name: "emergency_duties",
    indexes: [{ fields: { until: 1 } }],
  });

  const covers = ({ from, until }: Duty, now: number): boolean => until > now && from <= now + CLOCK_SKEW_MS;
  const isDoctor = (account: Account | null): account is Account =>
    account !== null && account.role === "doctor" && isOpen(account);

  /** Whether an emergency's requester can see to it now. */
  const isThere = async (requester: string): Promise<boolean> => {
    const duty = await duties.findOne({ _id: { $eq: requester } });
    return duty !== null && covers(duty, clock.now()) && isDoctor(await accounts.byId(requester));
  };

  /** Doctors on duty whose accounts are open, those with the fewest running emergencies first. */
  const team = async (): Promise<{ doctor: Account; duty: Duty; running: number }[]> => {
    const now = clock.now();
    const found = await duties.find(
      { until: { $gt: now }, from: { $lte: now + CLOCK_SKEW_MS } },
      { sort: { until: -1, _id: 1 }, limit: ON_DUTY_MOST },
    );
    const members = [];
    for (const duty of found) {
      const doctor = await accounts.byId(duty._id);
      if (isDoctor(doctor)) {
        const running = (await emergencies.of(doctor)).filter(({ requester }) => requester === doctor._id);
        members.push({ doctor, duty, running: running.length });
      }
    }
    return members.sort(
      (one, other) => one.running - other.running || (one.duty._id < other.duty._id ? -1 : 1),
    );
  };

  /** What a device's call says, once it is the device's own, of now, and for no longer than an emergency lasts. */
  const readCall = async (device: Device, statement: string): Promise<EmergencyCall> => {
    const call: EmergencyCall = await verifyStatement(EMERGENCY_CALL, statement, deviceKey(device.enrolment));
    if (call.deviceId !== device._id) {
      throw mismatch("it names another device");
    }
    if (device.enrolment.region !== MEDICAL) {
      throw mismatch("the device measures nothing that an emergency opens");
    }
    const now = clock.now();
    // That it is the device's of now, the request's proof shows; a call may have waited for the line.
    if (call.at > now + CLOCK_SKEW_MS || call.until <= now) {
      throw new MedcloudletError(
        "CALL_STALE",
        "The call is over, or of the future by the clock here: sign a new one.",
        { status: 403 },
      );
    }
    checkDuration(call.at, call.until);
    return call;
  };

  /** The patient's request that a call finds: one of a call that still runs, or else the one under this call's id. */
  const earlierOf = async (patient: Account | null, callId: string): Promise<Emergency | undefined> => {
    const own = patient === null ? [] : await emergencies.of(patient);
    const now = clock.now();
    return (
      own.find((emergency) => emergency.call != null && phaseOf(emergency, now) !== "ended") ??
      own.find(({ _id }) => _id === callId)
    );
  };

  const inTurn = createInTurn();
  const take: DeviceCalls["call"] = async (device, statement) => {
    const call = await readCall(device, statement);
    const now = clock.now();
    const { owner } = device;
    const reason = callReason(call.cause);
    // The notice first: the patient hears of it, also where nothing comes of it.
    await notices.send({
      to: owner,
      kind: "emergency.called",
      object: call.callId,
      reason,
      until: call.until,
    });
    const patient = await accounts.byId(owner);
    const earlier = await earlierOf(patient, call.callId);
    if (earlier !== undefined) {
      const phase = phaseOf(earlier, now);
      if (phase === "ended") {
        return { outcome: "over", emergency: null, call };
      }
      // A doctor's own request is no wearable's to end, whatever id its call has.
      if (phase === "open" || earlier.call == null || (await isThere(earlier.requester))) {
        return { outcome: "opened", emergency: earlier, call };
      }
    }
    const prepared = await shares.preparation(owner);
    if (prepared === null) {
      return { outcome: "unprepared", emergency: null, call };
    }
    const needed = approvalsNeeded(prepared.threshold);
    const onDuty = (await team()).filter(({ doctor }) => doctor._id !== owner);
    const chosen = onDuty.find(
      ({ doctor }) => prepared.trustees.filter((trustee) => trustee !== doctor._id).length >= needed,
    );
    if (chosen === undefined || patient === null) {
      return { outcome: "nobody-on-duty", emergency: null, call };
    }
    const givenUp = earlier?._id;
    if (givenUp !== undefined) {
      // First the end: a crash in between leaves the next call to open another.
      const left = await emergencies.giveUp(givenUp);
      if (left.endedAt === null) {
        // Trustees opened it meanwhile: what they decided stays.
        return { outcome: "opened", emergency: left, call };
      }
      if (givenUp === call.callId) {
        return { outcome: "over", emergency: null, call, givenUp };
      }
    }
    const emergency = await emergencies.openByDevice(chosen.doctor, {
      _id: call.callId,
      owner,
      requester: chosen.doctor._id,
      statement,
      reason,
      setId: prepared.setId,
      epochIds: prepared.epochIds,
      trustees: prepared.trustees,
      needed,
      requestedAt: now,
      until: call.until,
      call: { enrolment: device.statement, duty: chosen.duty.statement },
    });
    for (const { doctor } of onDuty) {
      const own = doctor._id === chosen.doctor._id;
      await notices.send({
        to: doctor._id,
        kind: own ? "emergency.call-yours" : "emergency.call-on-duty",
        object: call.callId,
        who: patient.handle,
        reason,
        until: call.until,
      });
    }
    return { outcome: "opened", emergency, call, ...(givenUp === undefined ? {} : { givenUp }) };
  };

  return {
    async onDuty(doctor, statement) {
      const { signingKey } = await accounts.keysOf(doctor);
      const duty: EmergencyDuty = await verifyStatement(EMERGENCY_DUTY, statement, signingKey);
      if (duty.doctor !== doctor._id) {
        throw new MedcloudletError("EMERGENCY_REQUESTER_MISMATCH", "A shift is taken by its doctor alone.", {
          status: 403,
        });
      }
      const now = clock.now();
      if (duty.from > now + CLOCK_SKEW_MS || duty.from < now - FRESH_MS - CLOCK_SKEW_MS) {
        throw new MedcloudletError(
          "DUTY_STALE",
          "The shift's beginning is too far from the clock here: check both clocks and sign it anew.",
          { status: 403 },
        );
      }
      const { from, until } = duty;
      await duties.updateOne(
        { _id: { $eq: doctor._id } },
        { $set: { statement, from, until } },
        { upsert: true },
      );
      return duty;
    },
    // One after the other: of two wearables of one patient that call at the same moment, one opens.
    call: (device, statement) => inTurn(() => take(device, statement)),
    async report(device, callId, statement) {
      const report = await verifyStatement(EMERGENCY_CALL_REPORT, statement, deviceKey(device.enrolment));
      if (report.deviceId !== device._id || report.callId !== callId) {
        throw mismatch("the report is of another call");
      }
      return report;
    },
  };
}
