import { describe, expect, it } from "vitest";
import { combineShares, newRecoveryCode, splitCode } from "../../../host/client/index.ts";
import { rejectionOf } from "../sealing/fixtures.ts";

/** Where the share's own bytes begin: version, threshold, commitment. */
const HEAD_BYTES = 34;

describe("a recovery code in shares", () => {
  it.each([
    [2, 2],
    [3, 2],
    [5, 3],
    [8, 8],
  ])("of %i guardians comes back from any %i, and from no fewer", async (count, threshold) => {
    const code = newRecoveryCode();
    const shares = await splitCode(code, count, threshold);
    expect(new Set(shares.map(({ length }) => length))).toEqual(new Set([55]));
    for (let first = 0; first < count; first++) {
      const chosen = Array.from(
        { length: threshold },
        (_, i) => shares[(first + i) % count] as (typeof shares)[0],
      );
      expect(await combineShares(chosen)).toEqual(code);
      expect(await rejectionOf(combineShares(chosen.slice(1)))).toBe("RECOVERY_SHARES_FEW");
      // One share many times over is one share.
      const again = Array.from({ length: threshold }, () => chosen[0] as (typeof shares)[0]);
      expect(await rejectionOf(combineShares(again))).toBe("RECOVERY_SHARES_FEW");
    }
  });

  it("says nothing of the code below the threshold: any code fits the shares that are there", async () => {
    // With two needed, a share (x, y) and a code c lie on the line through (0, c) and (x, y): for every c there is
    // one. So each byte of a single share of one code must be as likely as any other.
    const code = new Uint8Array(20);
    const counts = new Array<number>(256).fill(0);
    const rounds = 600;
    for (let i = 0; i < rounds; i++) {
      const [share] = await splitCode(code, 2, 2);
      for (const byte of share?.slice(HEAD_BYTES, HEAD_BYTES + 20) ?? []) {
        counts[byte] = (counts[byte] ?? 0) + 1;
      }
    }
    const expected = (rounds * 20) / 256;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: mean 255, standard deviation 22.6; eight of them either way.
    expect(chiSquare).toBeGreaterThan(74);
    expect(chiSquare).toBeLessThan(436);
  });

  it("comes back although some shares are false, and not from false ones", async () => {
    const code = newRecoveryCode();
    const shares = await splitCode(code, 5, 3);
    const falsified = shares.map((share, i) => {
      const copy = share.slice();
      if (i < 2) {
        copy[40] = (copy[40] as number) ^ 1;
      }
      return copy;
    });
    expect(await combineShares(falsified)).toEqual(code);
    expect(await rejectionOf(combineShares(falsified.slice(0, 4)))).toBe("RECOVERY_SHARES_FEW");
    const strange = [new Uint8Array(0), new Uint8Array(55), new Uint8Array(55).fill(255), new Uint8Array(56)];
    expect(await rejectionOf(combineShares(strange))).toBe("RECOVERY_SHARES_FEW");
    expect(await combineShares([...strange, ...falsified])).toEqual(code);
  });

  it("of two codes do not mix", async () => {
    const [one, other] = [await splitCode(newRecoveryCode(), 3, 2), await splitCode(newRecoveryCode(), 3, 2)];
    expect(await rejectionOf(combineShares([one[0] as (typeof one)[0], other[1] as (typeof one)[0]]))).toBe(
      "RECOVERY_SHARES_FEW",
    );
  });
});
