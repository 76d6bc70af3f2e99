const NAME = "medcloudlet-lock-after";
const MINUTE_MS = 60_000;
/** What can be chosen, in minutes; the last is for a screen on a wall that nobody touches. */
export const LOCK_AFTER_MINUTES = [5, 15, 60, 720] as const;
const USUAL = 15;

/** After how long without a touch the page locks itself on this machine, ms. */
export function readLockAfter(): number {
  const kept = Number(localStorage.getItem(NAME));
  return (LOCK_AFTER_MINUTES.find((minutes) => minutes === kept) ?? USUAL) * MINUTE_MS;
}

export function keepLockAfter(minutes: number): void {
  localStorage.setItem(NAME, String(minutes));
}
