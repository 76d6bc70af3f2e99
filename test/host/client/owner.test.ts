import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { equalBytes, fromBase64Url, MedcloudletError, toHex } from "../../../host/base/index.ts";
import { createOwner, type KdcSession, type OwnedEpoch, type Owner } from "../../../host/client/index.ts";
import type { UnverifiedGrant } from "../../../host/client/kdc-client.ts";
import {
  CONSENT,
  ENROLMENT,
  EPOCH,
  fingerprint,
  type SealingSuite,
  verifyStatement,
} from "../../../host/sealing/index.ts";
import { loadSuite, newSigningKey, rejectionOf } from "../sealing/fixtures.ts";
import { LATER, NOW, newId, openAs, type Somebody, sessionOf, somebody } from "./people.ts";

let suite: SealingSuite;
let patient: Somebody;
let doctor: Somebody;
let impostor: Somebody;

/** A KDC that keeps what it is given, in the order in which things happened. */
let happened: string[];
let kept: readonly OwnedEpoch[];
let epochs: string[];
let devices: string[];
let given: { consent: string; wrappedKeys: readonly string[] }[];
beforeAll(async () => {
  suite = await loadSuite();
  patient = await somebody(suite, "quiet-otter");
  doctor = await somebody(suite, "dr-heron");
  impostor = await somebody(suite, "dr-heron");
});
beforeEach(() => {
  happened = [];
  kept = [];
  epochs = [];
  devices = [];
  given = [];
});

function ownerWith(answers: Partial<KdcSession> = {}, own: readonly OwnedEpoch[] = []): Owner {
  const session = sessionOf(patient.account, {
    lookUp: async () => doctor.account,
    epochs: async () => epochs,
    publishEpoch: async (statement) => {
      happened.push("published");
      epochs.push(statement);
    },
    enrolDevice: async (statement) => {
      devices.push(statement);
    },
    giveConsent: async (consent, wrappedKeys) => {
      given.push({ consent, wrappedKeys });
    },
    ...answers,
  });
  return createOwner({
    suite,
    clock: { now: () => NOW },
    session,
    keys: patient.keys,
    name: NAME,
    epochs: own,
    keepEpochs: async (all) => {
      happened.push("kept");
      kept = all.map((epoch) => ({ ...epoch }));
    },
  });
}

const NAME = "Ada Quillfeather";
const TERMS = { reader: "dr-heron", purpose: "treatment", from: NOW, until: LATER } as const;
const verifyEpoch = (statement: string | undefined) =>
  verifyStatement(EPOCH, statement as string, patient.keys.signing.publicKey);

describe("an owner's epochs", () => {
  it("are numbered, stay on one stream for each region, and are signed with the right public half", async () => {
    const owner = ownerWith();
    const first = await owner.startEpoch("medical");
    const second = await owner.startEpoch("medical");
    const other = await owner.startEpoch("profile");
    expect([first, second, other].map(({ number }) => number)).toEqual([1, 2, 1]);
    expect(second.streamId).toBe(first.streamId);
    expect(other.streamId).not.toBe(first.streamId);
    expect(equalBytes(second.privateKey, first.privateKey)).toBe(false);
    for (const [i, own] of [first, second, other].entries()) {
      const statement = await verifyEpoch(epochs[i]);
      const { privateKey, ...told } = own;
      expect(statement).toMatchObject({ ...told, owner: patient.account.accountId });
      const { publicKey } = await suite.recipient(privateKey);
      expect(statement.publicKey).toBe(Buffer.from(publicKey).toString("base64url"));
      expect(epochs[i]).not.toContain(Buffer.from(privateKey).toString("base64url"));
    }
  });

  it("are kept before they are published, and a failed publication is taken up again with the same key", async () => {
    let away = true;
    const owner = ownerWith({
      publishEpoch: async (statement) => {
        if (away) {
          throw new MedcloudletError("SERVICE_UNREACHABLE", "away", { status: 503 });
        }
        epochs.push(statement);
      },
    });
    expect(await rejectionOf(owner.startEpoch("medical"))).toBe("SERVICE_UNREACHABLE");
    expect(happened).toEqual(["kept"]);
    expect(kept).toHaveLength(1);

    away = false;
    const again = await owner.startEpoch("medical");
    expect(toHex(again.privateKey)).toBe(toHex((kept[0] as OwnedEpoch).privateKey));
    expect((await verifyEpoch(epochs[0])).epochId).toBe(kept[0]?.epochId);
    expect(owner.epochs).toHaveLength(1);
  });

  it("are not published when they could not be kept", async () => {
    const session = sessionOf(patient.account, { epochs: async () => [] });
    const owner = createOwner({
      suite,
      clock: { now: () => NOW },
      session,
      keys: patient.keys,
      name: NAME,
      epochs: [],
      keepEpochs: () => Promise.reject(new MedcloudletError("DISK_FULL", "full")),
    });
    expect(await rejectionOf(owner.startEpoch("medical"))).toBe("DISK_FULL");
    expect(owner.epochs).toEqual([]);
  });
});

describe("enrolling a device", () => {
  it("signs for the region's stream, once there is one", async () => {
    const owner = ownerWith();
    const { publicKey } = await newSigningKey();
    const input = { deviceId: newId(), signingKey: publicKey, region: "medical", until: LATER } as const;
    expect(await rejectionOf(owner.enrolDevice(input))).toBe("EPOCH_MISSING");
    const { streamId } = await owner.startEpoch("medical");
    expect(await owner.enrolDevice(input)).toEqual({ streamId });
    const enrolment = await verifyStatement(ENROLMENT, devices[0] as string, patient.keys.signing.publicKey);
    expect(enrolment).toMatchObject({ deviceId: input.deviceId, streamId, region: "medical", until: LATER });
    expect(equalBytes(fromBase64Url(enrolment.signingKey), publicKey)).toBe(true);
  });
});

describe("an epoch that could not be published", () => {
  const refusing = (status: number) =>
    ownerWith({
      publishEpoch: async () => {
        throw new MedcloudletError("ROLE_FORBIDDEN", "no", { status });
      },
    });

  it("is forgotten where the KDC refused it", async () => {
    const owner = refusing(403);
    expect(await rejectionOf(owner.startEpoch("medical"))).toBe("ROLE_FORBIDDEN");
    expect(owner.epochs).toEqual([]);
    expect(kept).toEqual([]);
  });

  it("is kept where nobody knows whether the KDC has it", async () => {
    const owner = refusing(503);
    expect(await rejectionOf(owner.startEpoch("medical"))).toBe("ROLE_FORBIDDEN");
    expect(owner.epochs).toHaveLength(1);
    expect(kept).toHaveLength(1);
  });
});

describe("sharing", () => {
  it("gives the reader a grant that opens, with every epoch of the regions shared and no other", async () => {
    const owner = ownerWith();
    await owner.startEpoch("medical");
    await owner.startEpoch("medical");
    await owner.startEpoch("profile");
    const consent = await owner.share({
      ...TERMS,
      expectedFingerprint: doctor.fingerprint,
      regions: ["medical"],
    });
    const [shared] = given as [Pick<UnverifiedGrant, "consent"> & { wrappedKeys: readonly string[] }];
    const wrappedKeys = [...shared.wrappedKeys];
    const grant: UnverifiedGrant = { ...shared, wrappedKeys, owner: patient.account, epochs, devices };
    const [stream, ...others] = await openAs(suite, doctor, grant);
    expect(others).toEqual([]);
    expect(stream).toMatchObject({ region: "medical", ownerName: NAME, consent });
    const medical = owner.epochs.filter(({ region }) => region === "medical");
    expect([...(stream?.epochs.keys() ?? [])]).toEqual(medical.map(({ epochId }) => epochId));
    expect(await rejectionOf(openAs(suite, impostor, grant))).toBe("GRANT_INVALID");
  });

  it("tells the KDC no key and no name", async () => {
    const owner = ownerWith();
    const { privateKey } = await owner.startEpoch("medical");
    await owner.share({ ...TERMS, expectedFingerprint: doctor.fingerprint, regions: ["medical"] });
    const told = JSON.stringify([epochs, given]);
    const parts = told.split(/[".]/).map((part) => Buffer.from(part, "base64url").toString("latin1"));
    for (const secret of [Buffer.from(privateKey), Buffer.from(NAME)]) {
      for (const spelling of ["latin1", "hex", "base64url"] as const) {
        const text = secret.toString(spelling);
        expect(told.includes(text) || parts.some((part) => part.includes(text)), spelling).toBe(false);
      }
    }
    expect(parts.some((part) => part.includes("wrapped-key"))).toBe(true);
  });

  it("refuses a reader whose key is not the one compared before", async () => {
    const owner = ownerWith({ lookUp: async () => impostor.account });
    await owner.startEpoch("medical");
    const terms = { ...TERMS, regions: ["medical"], expectedFingerprint: doctor.fingerprint } as const;
    expect(await rejectionOf(owner.share(terms))).toBe("READER_CHANGED");
    expect(given).toEqual([]);
    const honest = ownerWith({}, owner.epochs);
    expect((await honest.share(terms)).readerFingerprint).toBe(doctor.fingerprint);
  });

  it("refuses a reader's identity that its own key did not sign", async () => {
    const [header, payload] = doctor.account.identity.split(".");
    const [, , signature] = impostor.account.identity.split(".");
    const identity = `${header}.${payload}.${signature}`;
    const owner = ownerWith({ lookUp: async () => ({ ...doctor.account, identity }) });
    await owner.startEpoch("medical");
    expect(await rejectionOf(owner.lookUp("dr-heron"))).toBe("STATEMENT_INVALID");
    expect(
      await rejectionOf(
        owner.share({ ...TERMS, expectedFingerprint: doctor.fingerprint, regions: ["medical"] }),
      ),
    ).toBe("STATEMENT_INVALID");
    expect(given).toEqual([]);
  });

  it("needs an epoch of every region named", async () => {
    const owner = ownerWith();
    await owner.startEpoch("medical");
    expect(
      await rejectionOf(
        owner.share({ ...TERMS, expectedFingerprint: doctor.fingerprint, regions: ["medical", "profile"] }),
      ),
    ).toBe("EPOCH_MISSING");
    expect(given).toEqual([]);
  });

  it("names in the consent the key that it wrapped to", async () => {
    const owner = ownerWith();
    await owner.startEpoch("medical");
    await owner.share({ ...TERMS, expectedFingerprint: doctor.fingerprint, regions: ["medical"] });
    const consent = await verifyStatement(
      CONSENT,
      given[0]?.consent as string,
      patient.keys.signing.publicKey,
    );
    expect(consent.readerFingerprint).toBe(
      fingerprint({
        signingKey: doctor.keys.signing.publicKey,
        receivingKey: doctor.keys.receiving.publicKey,
      }),
    );
    expect((await owner.lookUp("dr-heron")).fingerprint).toBe(consent.readerFingerprint);
  });
});
