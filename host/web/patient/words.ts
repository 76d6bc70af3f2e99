import { TEXTS } from "../texts/index.ts";
import type { Done, Share } from "../worker/patient/questions.ts";

const text = TEXTS.home;

/** Regions in words, such as "Medical, Profile". */
export function regionsText(regions: Share["regions"]): string {
  return regions.map((region) => text.regions[region]).join(", ");
}

/** What was done beside what was asked for. */
export function doneLines({ newKeys, wrapped, skipped }: Done): string[] {
  return [
    ...(newKeys.length === 0 ? [] : [text.sharing.newKeys(regionsText([...new Set(newKeys)]))]),
    ...(wrapped === 0 ? [] : [text.sharing.wrapped(wrapped)]),
    ...(skipped === 0 ? [] : [text.sharing.skipped(skipped)]),
  ];
}

/** As much of a wearable's id as people look at. */
export function shortId(deviceId: string): string {
  return deviceId.slice(0, 8);
}
