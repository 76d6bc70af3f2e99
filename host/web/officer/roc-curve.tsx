import { useState } from "preact/hooks";
import type { IdsSelfTest } from "../../client/index.ts";
import { dateText } from "../format.ts";
import { TEXTS } from "../texts/index.ts";
import { nearestTo, placesOf, type RocPlace } from "./roc-places.ts";
import { percent } from "./words.ts";

const [WIDTH, HEIGHT] = [520, 420];
const BOX = { left: 80, top: 14, right: 30, bottom: 56 } as const;
const [RIGHT, BOTTOM] = [WIDTH - BOX.right, HEIGHT - BOX.bottom];
const TICKS = [0, 0.25, 0.5, 0.75, 1];
const text = TEXTS.officer.roc;

const x = (rate: number) => BOX.left + rate * (RIGHT - BOX.left);
const y = (rate: number) => BOTTOM - rate * (BOTTOM - BOX.top);
const shareText = ({ value, low, high }: RocPlace["detection"]) =>
  text.share(percent(value), percent(low), percent(high));
const placeText = ({ belief, detection, falseAlarm }: RocPlace) =>
  text.at(belief.toFixed(2), shareText(detection), shareText(falseAlarm));

function Plot(props: {
  readonly places: readonly RocPlace[];
  readonly marked: number;
  readonly chosen: number;
  readonly label: string;
  readonly onChoose: (place: number) => void;
}) {
  const { places, marked, chosen, onChoose } = props;
  const at = places[chosen] as RocPlace;
  const operating = places[marked] as RocPlace;
  // Straight between two places: what scores alike is parted by a coin, as the area counts it.
  const line = [0, 0, ...places.flatMap(({ falseAlarm, detection }) => [falseAlarm.value, detection.value])]
    .map((rate, i) => (i % 2 === 0 ? x(rate) : y(rate)).toFixed(1))
    .join(" ");
  const follow = (event: PointerEvent) => {
    const { left, top, width, height } = (event.currentTarget as SVGElement).getBoundingClientRect();
    const across = ((event.clientX - left) / width) * WIDTH;
    const down = ((event.clientY - top) / height) * HEIGHT;
    onChoose(
      nearestTo(places, (across - BOX.left) / (RIGHT - BOX.left), (BOTTOM - down) / (BOTTOM - BOX.top)),
    );
  };
  return (
    <svg
      class="roc"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={props.label}
      onPointerMove={follow}
      onPointerDown={follow}
      onPointerLeave={() => onChoose(marked)}
    >
      {TICKS.map((rate) => (
        <g key={rate}>
          <path class="grid" d={`M${BOX.left} ${y(rate)}H${RIGHT}M${x(rate)} ${BOX.top}V${BOTTOM}`} />
          <text x={BOX.left - 8} y={y(rate) + 4} text-anchor="end">
            {percent(rate)}
          </text>
          <text x={x(rate)} y={BOTTOM + 20} text-anchor="middle">
            {percent(rate)}
          </text>
        </g>
      ))}
      <text x={(BOX.left + RIGHT) / 2} y={HEIGHT - 10} text-anchor="middle">
        {text.across}
      </text>
      <text transform={`translate(14 ${(BOX.top + BOTTOM) / 2}) rotate(-90)`} text-anchor="middle">
        {text.up}
      </text>
      <path class="chance" d={`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`} />
      <text transform={`translate(${x(0.62)} ${y(0.62) + 26}) rotate(-38)`}>{text.chance}</text>
      <polyline class="line" points={line} />
      <path
        class="reach"
        d={`M${x(at.falseAlarm.low)} ${y(at.detection.value)}H${x(at.falseAlarm.high)}M${x(at.falseAlarm.value)} ${y(at.detection.low)}V${y(at.detection.high)}`}
      />
      <circle class="chosen" cx={x(at.falseAlarm.value)} cy={y(at.detection.value)} r="5" />
      <circle class="point" cx={x(operating.falseAlarm.value)} cy={y(operating.detection.value)} r="6" />
      <text class="pointed" x={x(operating.falseAlarm.value) + 12} y={y(operating.detection.value) + 20}>
        {text.operating}
      </text>
    </svg>
  );
}

/** The receiver operating characteristic of one service's detector, as it measured itself. */
export function RocCurve(props: { readonly name: string; readonly test: IdsSelfTest }) {
  const { name, test } = props;
  const { auc, benign, attacks } = test;
  const { places, marked } = placesOf(test);
  // Null is the operating point, wherever that moves when it is measured anew.
  const [wanted, setWanted] = useState<number | null>(null);
  const chosen = Math.min(wanted ?? marked, places.length - 1);
  const choose = (place: number) => setWanted(place === marked ? null : place);
  if (auc === null) {
    return (
      <figure class="curve">
        <figcaption>{text.title(name)}</figcaption>
        <p>{text.notYet}</p>
      </figure>
    );
  }
  const words = placeText(places[chosen] as RocPlace);
  const id = `roc-${name.replace(/\W/g, "-")}`;
  return (
    <figure class="curve">
      <figcaption>
        {text.title(name)} <strong>{text.auc(auc.toFixed(3))}</strong>
      </figcaption>
      <Plot
        {...{ places, marked, chosen }}
        label={text.label(auc.toFixed(3), placeText(places[marked] as RocPlace))}
        onChoose={choose}
      />
      <label for={id}>{text.slide(name)}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={places.length - 1}
        value={chosen}
        aria-valuetext={words}
        onInput={(event) => choose(Number(event.currentTarget.value))}
      />
      <p class="said">
        {chosen === marked ? <strong>{text.set} </strong> : null}
        {words}
      </p>
      <p class="dim">{text.measured(benign.requests, dateText(benign.since), attacks)}</p>
      <details>
        <summary>{text.kinds}</summary>
        <ul>
          {attacks.kinds.map(({ kind, judged, found }) => (
            <li key={kind}>{text.foundOf(kind, found, judged)}</li>
          ))}
        </ul>
      </details>
    </figure>
  );
}
