import { z } from "zod";

/** The three regions of a record; the number is the region byte on the wire. */
export const REGION = { identity: 1, profile: 2, medical: 3 } as const;
export type Region = keyof typeof REGION;

/** The names of the regions, in the order of their numbers. */
export const REGIONS = Object.keys(REGION) as [Region, ...Region[]];
export const regionSchema = z.enum(REGIONS);

/** The region of a byte on the wire; undefined where there is none of that number. */
export function regionOfByte(byte: number | undefined): Region | undefined {
  return REGIONS.find((region) => REGION[region] === byte);
}
