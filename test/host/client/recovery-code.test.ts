import { describe, expect, it } from "vitest";
import { fromHex } from "../../../host/base/index.ts";
import { newRecoveryCode, printRecoveryCode, readRecoveryCode } from "../../../host/client/index.ts";

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing was thrown";
};

describe("a printed recovery code", () => {
  it("is Crockford's base32 with his check symbol", () => {
    expect(printRecoveryCode(new Uint8Array(20))).toBe("0000-0000-0000-0000-0000-0000-0000-0000-0");
    // 2^160 - 1 leaves 8 modulo 37.
    expect(printRecoveryCode(new Uint8Array(20).fill(255))).toBe("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-8");
    expect(readRecoveryCode("0000-0000-0000-0000-0000-0000-0000-0014-U")).toEqual(
      fromHex(`${"00".repeat(19)}24`),
    );
  });

  it("comes back however a person types it", () => {
    for (let i = 0; i < 200; i++) {
      const code = newRecoveryCode();
      const printed = printRecoveryCode(code);
      expect(readRecoveryCode(printed)).toEqual(code);
      const typed = printed.toLowerCase().replaceAll("0", "o").replaceAll("1", "l").replaceAll("-", "  ");
      expect(readRecoveryCode(` ${typed}\n`)).toEqual(code);
    }
  });

  it("tells every single wrong symbol and every pair that changed places", () => {
    const printed = printRecoveryCode(fromHex("00112233445566778899aabbccddeeff01234567"));
    const symbols = printed.replaceAll("-", "");
    for (let i = 0; i < symbols.length - 1; i++) {
      for (const symbol of "0123456789ABCDEFGHJKMNPQRSTVWXYZ") {
        if (symbol !== symbols[i]) {
          const wrong = symbols.slice(0, i) + symbol + symbols.slice(i + 1);
          expect(codeOf(() => readRecoveryCode(wrong))).toBe("RECOVERY_CODE_MISTYPED");
        }
      }
      const swapped = symbols.slice(0, i) + symbols[i + 1] + symbols[i] + symbols.slice(i + 2);
      if (swapped !== symbols) {
        expect(codeOf(() => readRecoveryCode(swapped))).toBe("RECOVERY_CODE_MISTYPED");
      }
    }
    for (const wrong of ["", "x", symbols.slice(1), `${symbols}0`, symbols.replace(/.$/, "")]) {
      expect(codeOf(() => readRecoveryCode(wrong))).toBe("RECOVERY_CODE_MISTYPED");
    }
  });
});
