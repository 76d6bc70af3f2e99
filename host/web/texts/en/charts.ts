/** What is said around charts. */
export const CHARTS = {
  slider: (label: string) => `${label} over time`,
  nothing: "nothing measured",
  earlier: (values: string) => `then ${values}`,
  compare: "Compare with",
  nothingThen: "Nothing was measured then.",
  compareWith: { none: "nothing", day: "the day before", week: "the week before" },
  hintTouch: "One finger moves, two zoom, tapping twice goes back to now.",
  hint: "Drag to zoom, with Shift to move, double-click to go back to now. With the keyboard: arrows move the cursor, + and − zoom, Page keys move, 0 goes back.",
} as const;
