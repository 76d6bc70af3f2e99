import { beforeAll, describe, expect, it } from "vitest";
import { isMedcloudletError, type MedcloudletError, systemClock } from "../../../host/base/index.ts";
import type {
  DirectoryEntry,
  KnownEmergency,
  UnverifiedRelease,
} from "../../../host/client/emergency-api.ts";
import { createEmergencyStaff, type KdcSession, openRelease } from "../../../host/client/index.ts";
import {
  DEVICE_REVOCATION,
  EMERGENCY_APPROVAL,
  EMERGENCY_REQUEST,
  EMERGENCY_SHARE,
  type EmergencyApproval,
  type EmergencyShare,
  ENROLMENT,
  EPOCH,
  handOnShare,
  openEmergencyShare,
  type SealingSuite,
  sealEmergencyShares,
  signStatement,
} from "../../../host/sealing/index.ts";
import { REASON } from "../../support/emergency.ts";
import { loadSuite } from "../sealing/fixtures.ts";
import { newId, newStream, type Somebody, type Stream, sessionOf, somebody } from "./people.ts";

let suite: SealingSuite;
let owner: Somebody;
let doctor: Somebody;
let trustees: Somebody[];
let stream: Stream;
let emergency: KnownEmergency;
const setId = newId();
const HOUR_MS = 3_600_000;

const entry = ({ account }: Somebody): DirectoryEntry => account;
const idOf = ({ account }: Somebody) => account.accountId;

/** Shares of the stream's key (or of another) as the owner signs them; one statement a trustee. */
async function sharesOf(privateKey = stream.pair.privateKey, threshold = 2): Promise<EmergencyShare[]> {
  const set = { setId, owner: idOf(owner), epochId: stream.epoch.epochId, threshold, createdAt: 1 };
  const chosen = trustees.map((trustee) => ({
    accountId: idOf(trustee),
    fingerprint: trustee.fingerprint,
    receivingKey: trustee.keys.receiving.publicKey,
  }));
  return sealEmergencyShares(suite, set, chosen, privateKey);
}

type Approved = UnverifiedRelease["approvals"][number];

/** What a trustee hands on; `lie` hands on something else than the own share. */
async function approvedBy(
  index: number,
  shares: readonly EmergencyShare[],
  lie?: Uint8Array,
  changes: Partial<EmergencyApproval> = {},
): Promise<Approved> {
  const trustee = trustees[index] as Somebody;
  const share = shares[index] as EmergencyShare;
  const own = await openEmergencyShare(trustee.keys.receiving, share);
  const binding = {
    emergencyId: emergency.emergencyId,
    requester: idOf(doctor),
    approver: idOf(trustee),
    setId,
    epochId: stream.epoch.epochId,
  };
  const handed = await handOnShare(
    suite,
    doctor.keys.receiving.publicKey,
    binding,
    lie === undefined ? own : new Uint8Array(lie),
  );
  const approval: EmergencyApproval = {
    emergencyId: binding.emergencyId,
    approver: idOf(trustee),
    requester: idOf(doctor),
    requesterFingerprint: doctor.fingerprint,
    setId,
    epochs: [handed],
    approvedAt: 1,
    expiresAt: 2,
    ...changes,
  };
  return {
    approver: entry(trustee),
    approval: await signStatement(EMERGENCY_APPROVAL, approval, trustee.keys.signing),
    shares: [await signStatement(EMERGENCY_SHARE, share, owner.keys.signing)],
  };
}

async function releaseOf(approvals: readonly Approved[]): Promise<UnverifiedRelease> {
  return {
    emergency,
    owner: entry(owner),
    epochs: [await signStatement(EPOCH, stream.epoch, owner.keys.signing)],
    devices: [await signStatement(ENROLMENT, stream.enrolment, owner.keys.signing)],
    deviceRevocations: [],
    approvals: [...approvals],
  };
}

const openAs = (reader: Somebody, release: UnverifiedRelease, expected?: string) =>
  openRelease(
    release,
    { accountId: idOf(reader), fingerprint: reader.fingerprint, receiving: reader.keys.receiving },
    suite,
    expected,
  );

async function errorOf(action: Promise<unknown>): Promise<MedcloudletError> {
  const error = await action.then(
    () => null,
    (refusal) => refusal,
  );
  if (!isMedcloudletError(error)) {
    throw new Error("it was not refused", { cause: error });
  }
  return error;
}

beforeAll(async () => {
  suite = await loadSuite();
  [owner, doctor] = [await somebody(suite, "quiet-otter"), await somebody(suite, "dr-swift")];
  trustees = await Promise.all(["dr-heron", "dr-stork", "dr-crane"].map((name) => somebody(suite, name)));
  stream = await newStream(suite, owner, "medical");
  const now = systemClock.now();
  const request = {
    emergencyId: newId(),
    requester: idOf(doctor),
    patient: "quiet-otter",
    reason: REASON,
    requestedAt: now,
    until: now + HOUR_MS,
  };
  emergency = {
    emergencyId: request.emergencyId,
    phase: "open",
    patient: "quiet-otter",
    requester: entry(doctor),
    request: await signStatement(EMERGENCY_REQUEST, request, doctor.keys.signing),
    reason: REASON,
    epochIds: [stream.epoch.epochId],
    trustees: 3,
    needed: 2,
    requestedAt: request.requestedAt,
    until: request.until,
    openedAt: now,
    endedAt: null,
    approvers: [],
  };
});

describe("what an emergency releases", () => {
  it("opens into the patient's stream and names nobody where all shares are true", async () => {
    const shares = await sharesOf();
    const opened = await openAs(
      doctor,
      await releaseOf([await approvedBy(0, shares), await approvedBy(2, shares)]),
      owner.fingerprint,
    );
    expect(opened).toMatchObject({ emergencyId: emergency.emergencyId, until: emergency.until, liars: [] });
    expect(opened.streams).toMatchObject([
      { streamId: stream.epoch.streamId, ownerFingerprint: owner.fingerprint, ownerName: "quiet-otter" },
    ]);
    const recipient = opened.streams[0]?.epochs.get(stream.epoch.epochId);
    expect(recipient?.publicKey).toEqual(stream.pair.publicKey);
    expect([...(opened.streams[0]?.devices.keys() ?? [])]).toEqual([stream.enrolment.deviceId]);
  });

  it("knows when the patient revoked a device", async () => {
    const shares = await sharesOf();
    const { deviceId } = stream.enrolment;
    const revoked = { owner: idOf(owner), deviceId, revokedAt: 7 };
    const opened = await openAs(doctor, {
      ...(await releaseOf([await approvedBy(0, shares), await approvedBy(1, shares)])),
      deviceRevocations: [await signStatement(DEVICE_REVOCATION, revoked, owner.keys.signing)],
    });
    expect(opened.streams[0]?.devices.get(deviceId)?.revokedAt).toBe(7);
  });

  it("names the trustee who lies, and opens all the same once another helps", async () => {
    const shares = await sharesOf();
    const other = await openEmergencyShare(
      (trustees[0] as Somebody).keys.receiving,
      (await sharesOf())[0] as EmergencyShare,
    );
    // Garbage, a bit, somebody's share of before, the place of another share.
    const own = await openEmergencyShare(
      (trustees[1] as Somebody).keys.receiving,
      shares[1] as EmergencyShare,
    );
    const bit = own.map((byte, i) => (i === 5 ? byte ^ 1 : byte));
    const place = own.map((byte, i) => (i === 32 ? byte ^ 0x55 : byte));
    for (const lie of [new Uint8Array(33), bit, place, other]) {
      const [honest, liar, helper] = [
        await approvedBy(0, shares),
        await approvedBy(1, shares, lie),
        await approvedBy(2, shares),
      ];
      const error = await errorOf(openAs(doctor, await releaseOf([honest, liar])));
      expect(error).toMatchObject({
        code: "EMERGENCY_SHARES_MISSING",
        details: { liars: [{ handle: "dr-stork", code: "EMERGENCY_SHARE_FALSE" }] },
      });
      expect(error.message).toContain("dr-stork");
      const opened = await openAs(doctor, await releaseOf([liar, honest, helper]));
      expect(opened.liars).toEqual([{ handle: "dr-stork", code: "EMERGENCY_SHARE_FALSE" }]);
      expect(opened.streams).toHaveLength(1);
    }
  });

  it("is not opened by one approval, shown however often", async () => {
    const approval = await approvedBy(0, await sharesOf());
    const error = await errorOf(openAs(doctor, await releaseOf([approval, approval, approval])));
    expect(error).toMatchObject({ code: "EMERGENCY_SHARES_MISSING", details: { liars: [] } });
  });

  it("says so where the patient's own shares give another key than the patient's", async () => {
    const { privateKey } = await suite.generateKeyPair();
    const shares = await sharesOf(privateKey);
    const release = await releaseOf([await approvedBy(0, shares), await approvedBy(1, shares)]);
    expect((await errorOf(openAs(doctor, release))).code).toBe("EMERGENCY_KEY_MISMATCH");
  });

  it("is of the patient on the card, or of nobody", async () => {
    const shares = await sharesOf();
    const release = await releaseOf([await approvedBy(0, shares), await approvedBy(1, shares)]);
    const { code } = await errorOf(openAs(doctor, release, doctor.fingerprint));
    expect(code).toBe("PATIENT_CHANGED");
  });

  it("does not hold where the KDC swaps a part of it", async () => {
    const shares = await sharesOf();
    const [first, second] = [await approvedBy(0, shares), await approvedBy(1, shares)];
    const honest = await releaseOf([first, second]);
    const thief = await somebody(suite, "quiet-otter");
    const foreign = await newStream(suite, thief, "medical");
    const sign = (share: EmergencyShare, by: Somebody) =>
      signStatement(EMERGENCY_SHARE, share, by.keys.signing);
    const profile = { ...stream.epoch, region: "profile" as const };
    const revoked = { owner: idOf(owner), deviceId: stream.enrolment.deviceId, revokedAt: 1 };
    const cases: [string, UnverifiedRelease, string][] = [
      ["owner", { ...honest, owner: entry(thief) }, "STATEMENT_INVALID"],
      ["owner's id", { ...honest, owner: { ...entry(owner), accountId: newId() } }, "EMERGENCY_INVALID"],
      [
        "epoch",
        { ...honest, epochs: [await signStatement(EPOCH, foreign.epoch, thief.keys.signing)] },
        "STATEMENT_INVALID",
      ],
      [
        "region",
        { ...honest, epochs: [await signStatement(EPOCH, profile, owner.keys.signing)] },
        "EMERGENCY_INVALID",
      ],
      [
        "device",
        { ...honest, devices: [await signStatement(ENROLMENT, foreign.enrolment, thief.keys.signing)] },
        "STATEMENT_INVALID",
      ],
      [
        "a device's revocation",
        {
          ...honest,
          deviceRevocations: [await signStatement(DEVICE_REVOCATION, revoked, thief.keys.signing)],
        },
        "STATEMENT_INVALID",
      ],
      [
        "another trustee's share",
        { ...honest, approvals: [first, { ...second, shares: first.shares }] },
        "EMERGENCY_INVALID",
      ],
      [
        "a share that the patient did not sign",
        {
          ...honest,
          approvals: [first, { ...second, shares: [await sign(shares[1] as EmergencyShare, thief)] }],
        },
        "STATEMENT_INVALID",
      ],
      [
        "another approver",
        { ...honest, approvals: [first, { ...second, approver: entry(trustees[2] as Somebody) }] },
        "STATEMENT_INVALID",
      ],
      [
        "an approval of another emergency",
        {
          ...honest,
          approvals: [first, await approvedBy(1, shares, undefined, { emergencyId: newId() })],
        },
        "EMERGENCY_INVALID",
      ],
      [
        "an approval for another requester",
        { ...honest, approvals: [first, await approvedBy(1, shares, undefined, { requester: newId() })] },
        "EMERGENCY_INVALID",
      ],
      [
        "an approval of another preparation",
        { ...honest, approvals: [first, await approvedBy(1, shares, undefined, { setId: newId() })] },
        "EMERGENCY_INVALID",
      ],
    ];
    for (const [what, release, code] of cases) {
      expect((await errorOf(openAs(doctor, release))).code, what).toBe(code);
    }
    // And nobody but the requester can open it.
    expect((await errorOf(openAs(trustees[0] as Somebody, honest))).code).toBe("EMERGENCY_INVALID");
  });
});

describe("a trustee", () => {
  const staffWith = (by: Somebody, answers: Partial<KdcSession>) =>
    createEmergencyStaff({
      suite,
      clock: systemClock,
      session: sessionOf(by.account, answers),
      keys: by.keys,
    });
  /** A KDC that gives this out as the trustee's share and takes nothing. */
  const kdcWith = (answer: unknown): Partial<KdcSession> => ({
    call: async (schema, { method }) => {
      if (method !== "GET") {
        throw new Error("a share left the trustee's machine");
      }
      return schema.parse(answer);
    },
  });

  it("hands nothing on to somebody else than the requester they compared, nor a share that is not theirs", async () => {
    const [trustee, other] = trustees as [Somebody, Somebody];
    const shares = await sharesOf();
    const statements = await Promise.all(
      shares.map((share) => signStatement(EMERGENCY_SHARE, share, owner.keys.signing)),
    );
    const answer = { emergency, owner: entry(owner), shares: [statements[0]] };
    const impostor = await somebody(suite, "dr-swift");
    const attempt = (given: unknown, expectedFingerprint = doctor.fingerprint) =>
      errorOf(
        staffWith(trustee, kdcWith(given)).approve({
          emergencyId: emergency.emergencyId,
          expectedFingerprint,
        }),
      );
    expect((await attempt(answer, impostor.fingerprint)).code).toBe("REQUESTER_CHANGED");
    const swapped = { ...answer, emergency: { ...emergency, requester: entry(impostor) } };
    expect((await attempt(swapped)).code).toBe("STATEMENT_INVALID");
    const longer = { ...answer, emergency: { ...emergency, until: emergency.until + 1 } };
    expect((await attempt(longer)).code).toBe("EMERGENCY_INVALID");
    const another = { ...answer, owner: { ...entry(owner), handle: "brave-wren" } };
    expect((await attempt(another)).code).toBe("EMERGENCY_INVALID");
    expect((await attempt({ ...answer, shares: [statements[1]] })).code).toBe("EMERGENCY_INVALID");
    expect((await attempt({ ...answer, owner: entry(other) })).code).toBe("EMERGENCY_INVALID");
    const renamed = { ...entry(other), handle: "quiet-otter" };
    expect((await attempt({ ...answer, owner: renamed })).code).toBe("STATEMENT_INVALID");
    // The honest answer goes through, up to where the share leaves.
    await expect(
      staffWith(trustee, kdcWith(answer)).approve({
        emergencyId: emergency.emergencyId,
        expectedFingerprint: doctor.fingerprint,
      }),
    ).rejects.toThrow("a share left the trustee's machine");
  });

  it("is shown what the requester signed, not what the KDC says", async () => {
    const [trustee] = trustees as [Somebody];
    const staff = staffWith(trustee, kdcWith({ emergencies: [{ ...emergency, reason: "Another reason" }] }));
    const [pending] = await staff.pending();
    expect(pending?.request.reason).toBe(REASON);
    for (const changes of [{ patient: "brave-wren" }, { until: emergency.until + 1 }]) {
      const bent = staffWith(trustee, kdcWith({ emergencies: [{ ...emergency, ...changes }] }));
      expect((await errorOf(bent.pending())).code).toBe("EMERGENCY_INVALID");
    }
  });

  it("cannot request in a form that the KDC would refuse", async () => {
    const staff = staffWith(doctor, {});
    for (const input of [
      { patient: "quiet-otter", reason: "short", minutes: 30 },
      { patient: "quiet-otter", reason: "\u001b[2J cleared screens", minutes: 30 },
      { patient: "quiet-otter", reason: REASON, minutes: 0 },
    ]) {
      expect((await errorOf(staff.request(input))).code).toBe("EMERGENCY_REQUEST_INVALID");
    }
  });
});
