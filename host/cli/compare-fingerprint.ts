import { MedcloudletError } from "../base/index.ts";
import { groups } from "./output.ts";
import { confirm } from "./secret-input.ts";

export const plainHex = (text: string) => text.replace(/\s+/g, "").toLowerCase();

/**
 * The fingerprint to hold somebody to: given, known from before, or compared at the prompt.
 * @throws MedcloudletError `CLI_FINGERPRINT_UNKNOWN`
 */
export async function fingerprintOf(
  handle: string,
  shown: string,
  known: string | undefined,
  flag: string,
): Promise<string> {
  if (known !== undefined) {
    return known;
  }
  const compared = await confirm(
    `You deal with ${handle} for the first time. Ask ${handle} in person or by telephone for their fingerprint\n` +
      `(medcloudlet keys show). Is it\n\n  ${groups(shown)}\n\nthe same?`,
  );
  if (!compared) {
    throw new MedcloudletError(
      "CLI_FINGERPRINT_UNKNOWN",
      `Nothing was done. Give the fingerprint that ${handle} told you: ${flag}.`,
    );
  }
  return shown;
}

/**
 * The patient's fingerprint, compared with the card they carry.
 * @throws MedcloudletError `CLI_FINGERPRINT_UNKNOWN`
 */
export async function compareCard(patient: string, shown: string): Promise<string> {
  const compared = await confirm(
    `Compare the fingerprint with the card that ${patient} carries. Is it\n\n  ${groups(shown)}\n\nthe same?`,
  );
  if (!compared) {
    throw new MedcloudletError(
      "CLI_FINGERPRINT_UNKNOWN",
      "Nothing is shown: whose data these are is not sure. Give the fingerprint on the patient's card " +
        "(--fingerprint HEX), or where there is no card, --without-card.",
    );
  }
  return shown;
}

/** `HANDLE=HEX` as often as given. */
export function fingerprintPairs(texts: readonly string[]): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const [, handle = "", hex = ""] = /^([a-z0-9-]+)=([0-9a-fA-F\s]+)$/.exec(text) ?? [];
      if (handle === "") {
        throw new MedcloudletError(
          "CLI_FINGERPRINT",
          `"${text}" is no HANDLE=FINGERPRINT: write both, with the sign between them.`,
        );
      }
      return [handle, plainHex(hex)];
    }),
  );
}
