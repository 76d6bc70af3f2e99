import fc from "fast-check";
import { combine } from "shamir-secret-sharing";
import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import {
  EMERGENCY_APPROVAL,
  EMERGENCY_REQUEST,
  EMERGENCY_SHARE,
  type EmergencyShare,
  type HandedShareBinding,
  handOnShare,
  joinShares,
  openEmergencyShare,
  openHandedShare,
  type Recipient,
  reasonSchema,
  type SealingSuite,
  sealEmergencyShares,
} from "../../../host/sealing/index.ts";
import { loadSuite, rejectionOf } from "./fixtures.ts";

const newId = () => toHex(randomBytes(16));

interface Trustee {
  readonly accountId: string;
  readonly fingerprint: string;
  readonly receivingKey: Bytes;
  readonly recipient: Recipient;
}

let suite: SealingSuite;
let trustees: Trustee[];
let requester: Recipient;
let seed: Bytes;
const set = { setId: newId(), owner: newId(), epochId: newId(), threshold: 3, createdAt: 1 };
let shares: EmergencyShare[];
let opened: Bytes[];

beforeAll(async () => {
  suite = await loadSuite();
  const recipient = async () => suite.recipient((await suite.generateKeyPair()).privateKey);
  requester = await recipient();
  trustees = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const own = await recipient();
      return {
        accountId: newId(),
        fingerprint: toHex(randomBytes(32)),
        receivingKey: own.publicKey,
        recipient: own,
      };
    }),
  );
  seed = (await suite.generateKeyPair()).privateKey;
  shares = await sealEmergencyShares(suite, set, trustees, seed);
  opened = await Promise.all(
    shares.map((share, i) => openEmergencyShare((trustees[i] as Trustee).recipient, share)),
  );
});

/** GF(256) with the polynomial 0x11b, written anew: a test must not lean on what it tests. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let x = a, y = b; y > 0; y >>= 1, x = (x << 1) ^ (x & 0x80 ? 0x11b : 0)) {
    product ^= y & 1 ? x : 0;
  }
  return product;
}
function inverse(a: number): number {
  return Array.from({ length: 256 }, (_, b) => b).find((b) => multiply(a, b) === 1) as number;
}
/** The value at `x` of the lowest polynomial through points. */
function interpolate(points: readonly (readonly [x: number, y: number])[], x: number): number {
  return points.reduce((sum, [xi, yi]) => {
    const basis = points.reduce(
      (product, [xj]) => (xj === xi ? product : multiply(product, multiply(x ^ xj, inverse(xi ^ xj)))),
      1,
    );
    return sum ^ multiply(yi, basis);
  }, 0);
}

describe("shares of an epoch key", () => {
  it("are one for each trustee, in statements of one form, and none is the key", () => {
    expect(shares.map(({ trustee }) => trustee)).toEqual(trustees.map(({ accountId }) => accountId));
    for (const share of shares) {
      expect(EMERGENCY_SHARE.schema.parse(share)).toEqual(share);
      expect(share).toMatchObject({ ...set, shares: 5 });
    }
    expect(new Set(shares.map(({ ciphertext }) => ciphertext.length)).size).toBe(1);
    expect(new Set(shares.map(({ digest }) => digest)).size).toBe(5);
    for (const share of opened) {
      expect(share).toHaveLength(33);
      expect(toHex(share).includes(toHex(seed))).toBe(false);
    }
  });

  it("give the key back from any three of five", async () => {
    for (let mask = 0; mask < 32; mask++) {
      const chosen = opened.filter((_, i) => mask & (1 << i));
      if (chosen.length >= 3) {
        expect(await joinShares(chosen)).toEqual(seed);
      } else if (chosen.length === 2) {
        expect(await joinShares(chosen)).not.toEqual(seed);
      }
    }
  });

  it("say nothing where one is missing: for any two there is a third that gives any other key", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2, maxLength: 2 }),
        async (wanted, [first, second]) => {
          const two = [opened[first as number] as Bytes, opened[second as number] as Bytes];
          const taken = two.map((share) => share[32] as number);
          const x = Array.from({ length: 255 }, (_, i) => i + 1).find((i) => !taken.includes(i)) as number;
          const third = new Uint8Array(33);
          third[32] = x;
          for (const [i, byte] of wanted.entries()) {
            const points = two.map((share) => [share[32] as number, share[i] as number] as const);
            third[i] = interpolate([...points, [0, byte]], x);
          }
          expect(toHex(await combine([...two, third]))).toBe(toHex(wanted));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("open for their own trustee only, and only where they belong", async () => {
    const [share, other] = shares as [EmergencyShare, EmergencyShare];
    const own = (trustees[0] as Trustee).recipient;
    expect(await rejectionOf(openEmergencyShare((trustees[1] as Trustee).recipient, share))).toBe(
      "SEALED_OPEN_FAILED",
    );
    for (const changes of [
      { setId: newId() },
      { owner: newId() },
      { epochId: newId() },
      { trustee: newId() },
      { threshold: 2 },
      { shares: 4 },
      { enc: other.enc },
      { ciphertext: other.ciphertext },
    ]) {
      const changed = { ...share, ...changes };
      expect(await rejectionOf(openEmergencyShare(own, changed)), Object.keys(changes)[0]).toBe(
        "SEALED_OPEN_FAILED",
      );
    }
    expect(await rejectionOf(openEmergencyShare(own, { ...share, digest: other.digest }))).toBe(
      "EMERGENCY_SHARE_FALSE",
    );
  });

  it("are handed on to one requester of one emergency, and a false one is seen", async () => {
    const share = shares[0] as EmergencyShare;
    const binding: HandedShareBinding = {
      emergencyId: newId(),
      requester: newId(),
      approver: share.trustee,
      setId: share.setId,
      epochId: share.epochId,
    };
    const handed = await handOnShare(suite, requester.publicKey, binding, opened[0] as Bytes);
    expect(await openHandedShare(requester, binding, handed, share)).toEqual(opened[0]);
    expect(
      await rejectionOf(openHandedShare((trustees[0] as Trustee).recipient, binding, handed, share)),
    ).toBe("SEALED_OPEN_FAILED");
    for (const name of Object.keys(binding)) {
      const verdict = rejectionOf(openHandedShare(requester, { ...binding, [name]: newId() }, handed, share));
      expect(await verdict, name).toBe("SEALED_OPEN_FAILED");
    }
    for (const lie of [opened[1] as Bytes, randomBytes(33), randomBytes(16)]) {
      const false_ = await handOnShare(suite, requester.publicKey, binding, lie);
      expect(await rejectionOf(openHandedShare(requester, binding, false_, share))).toBe(
        "EMERGENCY_SHARE_FALSE",
      );
    }
  });

  it("that belong together in no way are refused", async () => {
    const [first] = opened as [Bytes];
    expect(await rejectionOf(joinShares([first, first]))).toBe("EMERGENCY_KEY_MISMATCH");
    expect(await rejectionOf(joinShares([first]))).toBe("EMERGENCY_KEY_MISMATCH");
  });
});

describe("emergency statements", () => {
  it("take a reason of one line that no terminal obeys", () => {
    for (const reason of [
      "Found unconscious",
      "Notfall: Sturz, Kopfverletzung",
      "意識不明で搬送されました。至急",
      "x".repeat(500),
    ]) {
      expect(reasonSchema.safeParse(reason).success, reason).toBe(true);
    }
    for (const reason of [
      "too short",
      "x".repeat(501),
      " ".repeat(20),
      " led by a space",
      "a line\nand another",
      "a bell\u0007 rings here",
      "\u001b[2Jcleared away",
      "turned \u202e around for reading",
      "hidden \u200b space inside",
      "lone \ud800 surrogate here",
      "line\u2028separator here",
    ]) {
      expect(reasonSchema.safeParse(reason).success, JSON.stringify(reason)).toBe(false);
    }
  });

  it("take no threshold of one, none above the number of shares, and no epoch twice", () => {
    const share = shares[0] as EmergencyShare;
    for (const changes of [{ threshold: 1 }, { threshold: 6 }, { threshold: 2, shares: 1 }, { shares: 17 }]) {
      expect(EMERGENCY_SHARE.schema.safeParse({ ...share, ...changes }).success).toBe(false);
    }
    const epoch = { epochId: newId(), enc: share.enc, ciphertext: share.ciphertext };
    const approval = {
      emergencyId: newId(),
      approver: newId(),
      requester: newId(),
      requesterFingerprint: "0".repeat(64),
      setId: newId(),
      epochs: [epoch],
      approvedAt: 1,
      expiresAt: 2,
    };
    const takes = (changes: object) =>
      EMERGENCY_APPROVAL.schema.safeParse({ ...approval, ...changes }).success;
    expect(takes({})).toBe(true);
    expect(takes({ epochs: [epoch, epoch] })).toBe(false);
    expect(takes({ epochs: [] })).toBe(false);
    expect(takes({ expiresAt: 1 })).toBe(false);
    expect(takes({ epochs: [{ ...epoch, ciphertext: toBase64Url(randomBytes(48)) }] })).toBe(false);
    const request = {
      emergencyId: newId(),
      requester: newId(),
      patient: "quiet-otter",
      reason: "Found unconscious",
      requestedAt: 1,
      until: 1,
    };
    expect(EMERGENCY_REQUEST.schema.safeParse(request).success).toBe(false);
    expect(EMERGENCY_REQUEST.schema.safeParse({ ...request, until: 2 }).success).toBe(true);
  });
});
