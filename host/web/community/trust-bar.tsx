import { TEXTS } from "../texts/index.ts";

const [WIDTH, HEIGHT] = [200, 12];

/** Rounded down: nobody shall read 0.70 where it is a hair less. */
const shown = (value: number) => (Math.floor(value * 100 + 1e-9) / 100).toFixed(2);

/** The lower bound of trust as a bar, with the threshold as a mark in it. */
export function TrustBar({ bound, threshold }: { readonly bound: number; readonly threshold: number }) {
  const words = TEXTS.community.trust(shown(bound), shown(threshold));
  return (
    <span class={`trust ${bound >= threshold ? "enough" : ""}`}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
        <rect class="ground" width={WIDTH} height={HEIGHT} rx="6" />
        <rect class="bound" width={Math.max(HEIGHT, bound * WIDTH)} height={HEIGHT} rx="6" />
        <rect class="threshold" x={threshold * (WIDTH - 3)} width="3" height={HEIGHT} />
      </svg>
      <small aria-hidden="true">{words}</small>
    </span>
  );
}
