import { beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { createEmergencyStaff, type KdcSession } from "../../../host/client/index.ts";
import { EMERGENCY_SHARE, signStatement } from "../../../host/sealing/index.ts";
import { REASON } from "../../support/emergency.ts";
import { type Cast, createCast, entry, errorOf } from "./emergency-cast.ts";
import { type Somebody, sessionOf, somebody } from "./people.ts";

let cast: Cast;
beforeAll(async () => {
  cast = await createCast();
});

describe("a trustee", () => {
  const staffWith = (by: Somebody, answers: Partial<KdcSession>) =>
    createEmergencyStaff({
      suite: cast.suite,
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
    const { suite, owner, doctor, trustees, emergency, sharesOf } = cast;
    const [trustee, other] = trustees;
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
    const { trustees, emergency } = cast;
    const [trustee] = trustees;
    const staff = staffWith(trustee, kdcWith({ emergencies: [{ ...emergency, reason: "Another reason" }] }));
    const [pending] = await staff.pending();
    expect(pending?.request.reason).toBe(REASON);
    for (const changes of [{ patient: "brave-wren" }, { until: emergency.until + 1 }]) {
      const bent = staffWith(trustee, kdcWith({ emergencies: [{ ...emergency, ...changes }] }));
      expect((await errorOf(bent.pending())).code).toBe("EMERGENCY_INVALID");
    }
  });

  it("cannot request in a form that the KDC would refuse", async () => {
    const { doctor } = cast;
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
