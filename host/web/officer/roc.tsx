import type { IdsDetector } from "../../client/index.ts";
import { TEXTS } from "../texts/index.ts";
import { percent } from "./words.ts";

const [WIDTH, HEIGHT] = [640, 340];
const BOX = { left: 78, top: 16, right: 20, bottom: 52 } as const;
const text = TEXTS.officer.model;

type Model = NonNullable<IdsDetector["model"]>;
type Point = Model["benign"][number];

/** The strength at which the curve falls to a rate, between its points by the logarithm of the rate. */
export function strengthAt(points: readonly Point[], rate: number): number | null {
  const at = points.findIndex(({ falseAlarm }) => falseAlarm <= rate);
  const [after, before] = [points[at], points[at - 1]];
  if (after === undefined) {
    return null;
  }
  if (before === undefined || before.falseAlarm === after.falseAlarm || after.falseAlarm === 0) {
    return after.strength;
  }
  const share = Math.log(before.falseAlarm / rate) / Math.log(before.falseAlarm / after.falseAlarm);
  return before.strength + share * (after.strength - before.strength);
}

/** The share of benign requests beyond each strength (logarithmic), with the point where alarms begin. */
export function FalseAlarmCurve({ model }: { readonly model: Model }) {
  const points = [...model.benign].sort((a, b) => a.strength - b.strength);
  const { bits, falseAlarm } = model.operatingPoint;
  const rates = points.map((point) => point.falseAlarm).filter((rate) => rate > 0);
  const decades = Math.max(2, Math.ceil(-Math.log10(Math.min(falseAlarm, ...rates))));
  const most = Math.max(1, ...points.map(({ strength }) => strength)) * 1.05;
  const x = (strength: number) => BOX.left + (strength / most) * (WIDTH - BOX.left - BOX.right);
  const y = (rate: number) =>
    BOX.top + (Math.min(decades, -Math.log10(rate)) / decades) * (HEIGHT - BOX.top - BOX.bottom);
  const line = points
    .filter((point) => point.falseAlarm > 0)
    .map(({ strength, falseAlarm: rate }) => `${x(strength).toFixed(1)},${y(rate).toFixed(1)}`)
    .join(" ");
  const marked = strengthAt(points, falseAlarm);
  const bottom = HEIGHT - BOX.bottom;
  const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => share * most);
  return (
    <svg
      class="roc"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={text.curveLabel(bits.toFixed(1), percent(falseAlarm))}
    >
      {Array.from({ length: decades + 1 }, (_, decade) => 10 ** -decade).map((rate) => (
        <g key={rate}>
          <line class="grid" x1={BOX.left} x2={WIDTH - BOX.right} y1={y(rate)} y2={y(rate)} />
          <text x={BOX.left - 8} y={y(rate) + 4} text-anchor="end">
            {`${Number((100 * rate).toPrecision(1))} %`}
          </text>
        </g>
      ))}
      {steps.map((strength) => (
        <g key={strength}>
          <line class="grid" x1={x(strength)} x2={x(strength)} y1={BOX.top} y2={bottom} />
          <text x={x(strength)} y={bottom + 18} text-anchor="middle">
            {strength.toFixed(most < 10 ? 1 : 0)}
          </text>
        </g>
      ))}
      <text x={(BOX.left + WIDTH - BOX.right) / 2} y={HEIGHT - 10} text-anchor="middle">
        {text.strength}
      </text>
      <text transform={`translate(16 ${(BOX.top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
        {text.rate}
      </text>
      <polyline class="line" points={line} />
      <line class="mark" x1={BOX.left} x2={WIDTH - BOX.right} y1={y(falseAlarm)} y2={y(falseAlarm)} />
      {marked === null ? null : (
        <>
          <line class="mark" x1={x(marked)} x2={x(marked)} y1={y(falseAlarm)} y2={bottom} />
          <circle class="point" cx={x(marked)} cy={y(falseAlarm)} r="6" />
        </>
      )}
      <text class="pointed" x={WIDTH - BOX.right - 4} y={y(falseAlarm) - 8} text-anchor="end">
        {text.point}
      </text>
    </svg>
  );
}
