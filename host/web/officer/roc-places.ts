import type { IdsSelfTest } from "../../client/index.ts";

export type RocPlace = IdsSelfTest["operatingPoint"];

/** The curve from the strictest alarm to the mildest, the operating point among them, and where that stands. */
export function placesOf({ points, operatingPoint }: IdsSelfTest): {
  readonly places: readonly RocPlace[];
  readonly marked: number;
} {
  const places = [
    ...points.filter(({ belief }) => belief > operatingPoint.belief),
    operatingPoint,
    ...points.filter(({ belief }) => belief < operatingPoint.belief),
  ];
  return { places, marked: places.indexOf(operatingPoint) };
}

/** The place that is nearest to a point of the plane of both rates, each 0 to 1. */
export function nearestTo(places: readonly RocPlace[], falseAlarm: number, detection: number): number {
  const far = (place: RocPlace) =>
    Math.hypot(place.falseAlarm.value - falseAlarm, place.detection.value - detection);
  return places.reduce((best, place, i) => (far(place) < far(places[best] as RocPlace) ? i : best), 0);
}
