import { z } from "zod";
import { createInTurn, MedcloudletError } from "../base/index.ts";
import { createRateLimiter } from "../http/index.ts";
import {
  type Device,
  type Devices,
  deviceKey,
  type ProofCaller,
  type Relation,
  type Routes,
} from "../identity/index.ts";
import {
  EMERGENCY_CALL,
  EMERGENCY_CALL_REPORT,
  idSchema,
  keyThumbprint,
  type StatementKind,
  unverifiedPayload,
} from "../sealing/index.ts";
import type { DeviceCalls } from "./device-calls.ts";
import type { OpenAccounts } from "./open-accounts.ts";

const STATEMENT = z.strictObject({ statement: z.string().min(1).max(4_096) });
const BY_CALL = z.strictObject({ call: idSchema });

const HOUR = 3600;
/** New calls of one device, an hour: each warns the patient, and trustees where it opens. */
const CALL_LIMIT = { points: 20, seconds: HOUR };
/** Of all devices of one patient: a stolen one must not use up what the others have. */
const OWNER_CALL_LIMIT = { points: 100, seconds: HOUR };
const REPORT_LIMIT = { points: 60, seconds: HOUR };

/**
 * Counts new calls by device and by owner; one that is sent again within the hour costs nothing, as it warns nobody anew.
 * @returns what throws `RATE_LIMITED`
 */
function createCallCount(): (device: Device, callId: string) => Promise<void> {
  const known = createRateLimiter({ points: 1, seconds: HOUR });
  const ofDevice = createRateLimiter(CALL_LIMIT);
  const ofOwner = createRateLimiter(OWNER_CALL_LIMIT);
  const countOne = async ({ _id, owner }: Device, callId: string): Promise<void> => {
    const call = `${_id}/${callId}`;
    const isNew = await known.consume(call).then(
      () => true,
      () => false,
    );
    if (!isNew) {
      return;
    }
    try {
      await ofDevice.consume(_id);
      await ofOwner.consume(owner);
    } catch (refusal) {
      await known.reset(call);
      throw refusal;
    }
  };
  // One after the other: of two at once that go beyond the limit, the second must not pass for known.
  const inTurn = createInTurn();
  return (device, callId) => inTurn(() => countOne(device, callId));
}

/** Where wearables call, and doctors go on duty, under `/v1` of the KDC. */
export function addDeviceCallRoutes(
  routes: Routes,
  rooms: { readonly devices: Devices; readonly calls: DeviceCalls; readonly open: OpenAccounts },
): void {
  const { devices, calls, open } = rooms;
  const count = createCallCount();
  const reported = createRateLimiter(REPORT_LIMIT);

  /** Whether the key that a request proves is that of the device which its statement names. */
  const byDevice =
    <T extends { readonly deviceId: string; readonly callId: string }>(kind: StatementKind<T>) =>
    async ({
      key,
      body,
      actingAs,
      concerning,
    }: ProofCaller & {
      readonly body: z.infer<typeof STATEMENT>;
      actingAs(actor: { readonly id: string; readonly role: string }): void;
      concerning(subject: { readonly owner: string; readonly object: string }): void;
    }): Promise<Relation> => {
      const { deviceId, callId } = unverifiedPayload(kind, body.statement);
      const { enrolment, owner } = await devices.active(deviceId);
      if (key.thumbprint !== (await keyThumbprint(deviceKey(enrolment)))) {
        return "other";
      }
      actingAs({ id: deviceId, role: "device" });
      concerning({ owner, object: callId });
      return "own";
    };
  const keyMismatch = () =>
    new MedcloudletError(
      "DEVICE_KEY_MISMATCH",
      "This is not the key the device was enrolled with: pair the device again.",
      { status: 403 },
    );

  routes.proof({
    method: "post",
    path: "/emergency-calls",
    action: "emergency.call",
    body: STATEMENT,
    relation: byDevice(EMERGENCY_CALL),
    refusal: keyMismatch,
    async handle({ body: { statement }, concerning }) {
      const { deviceId, callId } = unverifiedPayload(EMERGENCY_CALL, statement);
      const device = await devices.active(deviceId);
      await count(device, callId);
      if (!(await open.isOpen(device.owner))) {
        throw new MedcloudletError(
          "DEVICE_OWNER_CLOSED",
          "The account of the device's owner is closed: nobody is called in its name.",
          { status: 403 },
        );
      }
      const { outcome, emergency, call, givenUp } = await calls.call(device, statement);
      concerning({
        details: {
          cause: call.cause,
          outcome,
          ...(emergency === null ? {} : { emergency: emergency._id, requester: emergency.requester }),
          ...(givenUp === undefined ? {} : { givenUp }),
        },
      });
      return { status: 201, json: { emergency: emergency?._id ?? "", outcome } };
    },
  });

  routes.proof({
    method: "post",
    path: "/emergency-calls/:call/reports",
    action: "emergency.call-report",
    params: BY_CALL,
    body: STATEMENT,
    relation: byDevice(EMERGENCY_CALL_REPORT),
    refusal: keyMismatch,
    async handle({ params, body: { statement }, concerning }) {
      const device = await devices.active(unverifiedPayload(EMERGENCY_CALL_REPORT, statement).deviceId);
      await reported.consume(device.owner);
      const { helpers, ended } = await calls.report(device, params.call, statement);
      concerning({ details: { helpers, ended: ended ? "yes" : "no" } });
      return { status: 201, json: { helpers, ended } };
    },
  });

  routes.session({
    method: "put",
    path: "/emergency-duty",
    action: "emergency.duty",
    body: STATEMENT,
    async handle({ account, response, body, concerning }) {
      await open.begin(account, response);
      const { from, until } = await calls.onDuty(account, body.statement);
      concerning({ object: account._id, details: { from, until } });
      return { status: 200, json: { from, until } };
    },
  });
}
