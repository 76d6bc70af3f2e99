import { beforeAll, describe, expect, it } from "vitest";
import type { UnverifiedRelease } from "../../../host/client/emergency-api.ts";
import { openRelease } from "../../../host/client/index.ts";
import {
  DEVICE_REVOCATION,
  EMERGENCY_APPROVAL,
  EMERGENCY_SHARE,
  type EmergencyApproval,
  type EmergencyShare,
  ENROLMENT,
  EPOCH,
  handOnShare,
  openEmergencyShare,
  signStatement,
} from "../../../host/sealing/index.ts";
import { type Approved, type Cast, createCast, entry, errorOf, idOf } from "./emergency-cast.ts";
import { newId, newStream, type Somebody, somebody } from "./people.ts";

let cast: Cast;
beforeAll(async () => {
  cast = await createCast();
});

const openAs = (reader: Somebody, release: UnverifiedRelease, expected?: string) =>
  openRelease(
    release,
    { accountId: idOf(reader), fingerprint: reader.fingerprint, receiving: reader.keys.receiving },
    cast.suite,
    expected,
  );

describe("what an emergency releases", () => {
  it("opens into the patient's stream and names nobody where all shares are true", async () => {
    const { owner, doctor, stream, emergency, sharesOf, approvedBy, releaseOf } = cast;
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
    const { owner, doctor, stream, sharesOf, approvedBy, releaseOf } = cast;
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
    const { doctor, trustees, sharesOf, approvedBy, releaseOf } = cast;
    const shares = await sharesOf();
    const other = await openEmergencyShare(
      trustees[0].keys.receiving,
      (await sharesOf())[0] as EmergencyShare,
    );
    // Garbage, a bit, somebody's share of before, the place of another share.
    const own = await openEmergencyShare(trustees[1].keys.receiving, shares[1] as EmergencyShare);
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

  it("lets the KDC frame no trustee with an approval of its own making", async () => {
    const { suite, owner, doctor, trustees, stream, emergency, setId, sharesOf, approvedBy, releaseOf } =
      cast;
    const shares = await sharesOf();
    const [honest, framed] = [await approvedBy(0, shares), trustees[1]];
    const puppet = await somebody(suite, "dr-stork");
    const binding = {
      emergencyId: emergency.emergencyId,
      requester: idOf(doctor),
      approver: idOf(framed),
      setId,
      epochId: stream.epoch.epochId,
    };
    const noise = new Uint8Array(33);
    const handed = await handOnShare(suite, doctor.keys.receiving.publicKey, binding, noise);
    const approval: EmergencyApproval = {
      emergencyId: binding.emergencyId,
      approver: idOf(framed),
      requester: idOf(doctor),
      requesterFingerprint: doctor.fingerprint,
      setId,
      epochs: [handed],
      approvedAt: 1,
      expiresAt: 2,
    };
    const made: Approved = {
      approver: { ...entry(puppet), accountId: idOf(framed) },
      approval: await signStatement(EMERGENCY_APPROVAL, approval, puppet.keys.signing),
      shares: [await signStatement(EMERGENCY_SHARE, shares[1] as EmergencyShare, owner.keys.signing)],
    };
    const error = await errorOf(openAs(doctor, await releaseOf([honest, made])));
    expect(error.code).toBe("EMERGENCY_INVALID");
    expect(error.message).not.toContain("dr-stork");
  });

  it("is not opened by one approval, shown however often", async () => {
    const { doctor, sharesOf, approvedBy, releaseOf } = cast;
    const approval = await approvedBy(0, await sharesOf());
    const error = await errorOf(openAs(doctor, await releaseOf([approval, approval, approval])));
    expect(error).toMatchObject({ code: "EMERGENCY_SHARES_MISSING", details: { liars: [] } });
  });

  it("says so where the patient's own shares give another key than the patient's", async () => {
    const { suite, doctor, sharesOf, approvedBy, releaseOf } = cast;
    const { privateKey } = await suite.generateKeyPair();
    const shares = await sharesOf(privateKey);
    const release = await releaseOf([await approvedBy(0, shares), await approvedBy(1, shares)]);
    expect((await errorOf(openAs(doctor, release))).code).toBe("EMERGENCY_KEY_MISMATCH");
  });

  it("is of the patient on the card, or of nobody", async () => {
    const { doctor, sharesOf, approvedBy, releaseOf } = cast;
    const shares = await sharesOf();
    const release = await releaseOf([await approvedBy(0, shares), await approvedBy(1, shares)]);
    const { code } = await errorOf(openAs(doctor, release, doctor.fingerprint));
    expect(code).toBe("PATIENT_CHANGED");
  });

  it("does not hold where the KDC swaps a part of it", async () => {
    const { suite, owner, doctor, trustees, stream, sharesOf, approvedBy, releaseOf } = cast;
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
        { ...honest, approvals: [first, { ...second, approver: entry(trustees[2]) }] },
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
    expect((await errorOf(openAs(trustees[0], honest))).code).toBe("EMERGENCY_INVALID");
  });
});
