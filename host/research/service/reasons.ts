import { isMedcloudletError, isPassing, MedcloudletError } from "../../base/index.ts";

/**
 * What a researcher is told of a request that came to nothing. No numbers: how many people consent just now, and how many
 * came or left since a release, is nobody's to ask.
 */
const REASONS = {
  RESEARCH_GUARANTEE_UNMET:
    "Too few people consent to research now, or what they have is too alike, for this guarantee: ask for less where the study allows it, or later.",
  RESEARCH_NOT_NOW:
    "No release with this guarantee can be made now: too few people consent, or they are too alike, or beside earlier releases it would single somebody out. Which of these it is is not told. Take an earlier release, or ask again later.",
  RESEARCH_VERIFICATION_FAILED:
    "The release did not pass its own check and was thrown away: tell the operator.",
  RESEARCH_SOURCE_UNAVAILABLE: "The KDC or the cloud did not answer, so nothing was made: ask again.",
  RESEARCH_CONSENTS_CHANGING: "Consents ended while the release was being made: ask again.",
  RESEARCH_STUDY_UNKNOWN: "The study is not there any more.",
  RESEARCH_INTERRUPTED:
    "The service was interrupted each time it made this: tell the operator, or ask again.",
  RESEARCH_FAILED: "The release could not be made: tell the operator, whose log says why.",
} as const;
export type ReasonCode = keyof typeof REASONS;

export function reasonFor(code: string | null): string | null {
  return code === null
    ? null
    : REASONS[Object.hasOwn(REASONS, code) ? (code as ReasonCode) : "RESEARCH_FAILED"];
}

/** An error of the service's own making. */
export function reasonError(code: ReasonCode): MedcloudletError {
  return new MedcloudletError(code, REASONS[code], { status: 409 });
}

/**
 * How a request ends by an error: `refused` where the data do not allow it, `failed` where anything else went wrong.
 * @param first whether nothing was released before. Afterwards all refusals are one: whoever asked for one k after the other
 *   would learn from the difference how many people came or left since.
 */
export function endBy(
  error: unknown,
  first: boolean,
): { readonly state: "refused" | "failed"; readonly code: ReasonCode } {
  if (!isMedcloudletError(error)) {
    return { state: "failed", code: "RESEARCH_FAILED" };
  }
  switch (error.code) {
    case "RESEARCH_CSV_EMPTY":
    case "RESEARCH_GUARANTEE_UNMET":
      return { state: "refused", code: first ? "RESEARCH_GUARANTEE_UNMET" : "RESEARCH_NOT_NOW" };
    case "RESEARCH_DIFFERENCING":
    case "RESEARCH_NOT_NOW":
      return { state: "refused", code: "RESEARCH_NOT_NOW" };
    case "RESEARCH_VERIFICATION_FAILED":
    case "RESEARCH_CONSENTS_CHANGING":
    case "RESEARCH_STUDY_UNKNOWN":
    case "RESEARCH_INTERRUPTED":
      return { state: "failed", code: error.code };
    default:
      return {
        state: "failed",
        code: isPassing(error) ? "RESEARCH_SOURCE_UNAVAILABLE" : "RESEARCH_FAILED",
      };
  }
}
