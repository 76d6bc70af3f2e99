import { type Bytes, type Clock, fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  DEVICE_REVOCATION,
  type DeviceRevocation,
  ENROLMENT,
  type Enrolment,
  verifyStatement,
} from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/** An enrolled device: the owner's signed statement, and what the KDC looks it up by. */
export interface Device {
  readonly _id: string;
  readonly owner: string;
  readonly statement: string;
  readonly enrolment: Enrolment;
  /** The owner's signed word that the device writes no more; null or absent while there is none. */
  readonly revocation?: string | null;
}

/** A bound on what one owner can make every reader fetch. */
const DEVICES_OF_OWNER = 500;

export interface Devices {
  /**
   * Takes a device in, or a newer enrolment of one that keeps owner, key and stream: to end later, or sooner. The
   * statement must be signed by its owner and name the caller as owner.
   * @throws MedcloudletError `STATEMENT_INVALID`, `DEVICE_OWNER_MISMATCH`, `DEVICE_EXISTS`, `DEVICE_REVOKED`,
   *   `DEVICE_LIMIT`
   */
  enrol(owner: string, ownerKey: Bytes, statement: string): Promise<Enrolment>;
  /**
   * Ends a device for good: it gets no ticket from when this fulfils. Doing so twice is fine.
   * @throws MedcloudletError `STATEMENT_INVALID`, `DEVICE_OWNER_MISMATCH`, `DEVICE_NOT_FOUND`
   */
  revoke(owner: string, ownerKey: Bytes, statement: string): Promise<DeviceRevocation>;
  /**
   * @throws MedcloudletError `DEVICE_UNKNOWN` when it is not enrolled or its enrolment has ended, `DEVICE_REVOKED`
   */
  active(deviceId: string): Promise<Device>;
  ofOwner(owner: string): Promise<Device[]>;
}

/** The Ed25519 key of a device. */
export function deviceKey(enrolment: Enrolment): Bytes {
  return fromBase64Url(enrolment.signingKey);
}

export async function createDevices(store: Store, clock: Clock): Promise<Devices> {
  const devices = await store.collection<Device>({ name: "devices", indexes: [{ fields: { owner: 1 } }] });
  return {
    async enrol(owner, ownerKey, statement) {
      const enrolment = await verifyStatement(ENROLMENT, statement, ownerKey);
      if (enrolment.owner !== owner) {
        throw new MedcloudletError("DEVICE_OWNER_MISMATCH", "A device is enrolled by its owner alone.", {
          status: 403,
        });
      }
      const isNew = (await devices.findOne({ _id: { $eq: enrolment.deviceId } })) === null;
      if (isNew && (await devices.countDocuments({ owner: { $eq: owner } })) >= DEVICES_OF_OWNER) {
        throw new MedcloudletError("DEVICE_LIMIT", `One account has at most ${DEVICES_OF_OWNER} devices.`, {
          status: 409,
        });
      }
      try {
        await devices.insertOne({
          _id: enrolment.deviceId,
          owner,
          statement,
          enrolment,
          revocation: null,
        });
      } catch (cause) {
        if (!isDuplicate(cause)) {
          throw cause;
        }
        const { modified } = await devices.updateOne(
          {
            _id: { $eq: enrolment.deviceId },
            owner: { $eq: owner },
            "enrolment.signingKey": { $eq: enrolment.signingKey },
            "enrolment.streamId": { $eq: enrolment.streamId },
            "enrolment.region": { $eq: enrolment.region },
            "enrolment.createdAt": { $lt: enrolment.createdAt },
            // A device that was given up stays so: its key may be in other hands.
            revocation: { $eq: null },
          },
          { $set: { statement, enrolment } },
        );
        if (modified === 0) {
          throw new MedcloudletError("DEVICE_EXISTS", "A device with this id is enrolled already.", {
            status: 409,
            cause,
          });
        }
      }
      return enrolment;
    },
    async revoke(owner, ownerKey, statement) {
      const revocation = await verifyStatement(DEVICE_REVOCATION, statement, ownerKey);
      if (revocation.owner !== owner) {
        throw new MedcloudletError("DEVICE_OWNER_MISMATCH", "A device is revoked by its owner alone.", {
          status: 403,
        });
      }
      const own = { _id: { $eq: revocation.deviceId }, owner: { $eq: owner } };
      await devices.updateOne({ ...own, revocation: { $eq: null } }, { $set: { revocation: statement } });
      if ((await devices.findOne(own)) === null) {
        throw new MedcloudletError(
          "DEVICE_NOT_FOUND",
          "You enrolled no device with this id: look it up in the list of your devices.",
          { status: 404 },
        );
      }
      return revocation;
    },
    async active(deviceId) {
      const device = await devices.findOne({ _id: { $eq: deviceId } });
      if (device === null || device.enrolment.until <= clock.now()) {
        throw new MedcloudletError(
          "DEVICE_UNKNOWN",
          "This device is not enrolled, or its enrolment has ended: its owner has to enrol it again.",
          { status: 403 },
        );
      }
      if (device.revocation != null) {
        throw new MedcloudletError(
          "DEVICE_REVOKED",
          "The owner has revoked this device: pair it anew, with a new key.",
          { status: 403 },
        );
      }
      return device;
    },
    ofOwner: (owner) => devices.find({ owner: { $eq: owner } }),
  };
}
