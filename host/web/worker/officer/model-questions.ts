import type { IdsDetector } from "../../../client/index.ts";
import type { ServiceId } from "./watch-questions.ts";

/** What judges requests at one service; null with the reason where it did not say. */
export interface DetectorAt {
  readonly service: ServiceId;
  readonly detector: IdsDetector | null;
  readonly trouble: string | null;
}

export interface ModelQuestions {
  readonly detectors: { readonly ask: null; readonly answer: readonly DetectorAt[] };
}
