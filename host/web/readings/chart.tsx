import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Series } from "../worker/series.ts";
import { decimate } from "./decimate.ts";
import type { PanelSpec } from "./panel.ts";

/** What is seen: from, to, in ms. */
export type View = readonly [from: number, to: number];

const HEIGHT = 160;
/** Fewer than this in view are drawn as points, too. */
const FEW_POINTS = 60;
const DAY_SECONDS = 86_400;
const NOTHING: Series = { times: new Float64Array(0), values: new Float64Array(0) };

/** What a custom property is in the present theme; a canvas does not understand `light-dark()`. */
function createPalette(within: HTMLElement): (name: string) => string {
  const probe = document.createElement("i");
  probe.hidden = true;
  within.append(probe);
  return (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
}

/** Times in the reader's own manner; the day where it changes. */
function timeLabels(): (
  plot: uPlot,
  splits: number[],
  axis: number,
  space: number,
  step: number,
) => string[] {
  const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  return (_plot, splits, _axis, _space, step) => {
    let before = "";
    return splits.map((seconds) => {
      const today = day.format(seconds * 1000);
      const label =
        step >= DAY_SECONDS ? today : `${time.format(seconds * 1000)}${today === before ? "" : `\n${today}`}`;
      before = today;
      return label;
    });
  };
}

/** One axis of time for all lines of a chart: where one has no sample of its own, it goes on undisturbed. */
function joined(panel: PanelSpec, series: readonly Series[], view: View, columns: number): uPlot.AlignedData {
  const drawn = series.map(({ times, values }) => decimate(times, values, view[0], view[1], columns));
  const [only] = drawn;
  if (panel.lines.length === 1 && only !== undefined) {
    return [only.times.map((time) => time / 1000), only.values] as uPlot.AlignedData;
  }
  return uPlot.join(
    drawn.map(({ times, values }) => [times.map((time) => time / 1000), values] as uPlot.AlignedData),
    drawn.map(() => [2]),
  );
}

/** A chart that draws what is in view, decimated to its pixels; zoomed by dragging, back by a double click. */
export function Chart(props: {
  readonly panel: PanelSpec;
  readonly series: ReadonlyMap<string, Series>;
  /** Grows with each new reading: typed arrays are the same objects then. */
  readonly version: number;
  readonly view: View;
  readonly theme: string;
  readonly onView: (view: View | null) => void;
}) {
  const { panel, series, version, view, theme } = props;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const onView = useRef(props.onView);
  onView.current = props.onView;

  // Another theme is another chart, for a canvas knows no style sheets.
  useEffect(() => {
    const parent = box.current as HTMLDivElement;
    const colour = createPalette(parent);
    const band = colour("--band");
    const axis = {
      stroke: colour("--text-dim"),
      grid: { stroke: colour("--grid"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const plot = new uPlot(
      {
        width: parent.clientWidth,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: {
          sync: { key: "vitals" },
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
          bind: {
            dblclick: () => () => {
              onView.current(null);
              return null;
            },
          },
        },
        scales: {
          x: { time: true, auto: false },
          y: {
            range: (_plot, least, most) => [
              Math.min(panel.span[0], least ?? panel.span[0]),
              Math.max(panel.span[1], most ?? panel.span[1]),
            ],
          },
        },
        axes: [
          { ...axis, size: 40, values: timeLabels() },
          { ...axis, size: 44 },
        ],
        series: [
          {},
          ...panel.lines.map(({ label, colour: name }) => ({
            label,
            stroke: colour(name),
            width: 1.6,
            spanGaps: false,
            // A cuff measures twice an hour: its line alone would hide when.
            points: { show: (_plot, _line, first, last) => last - first < FEW_POINTS, size: 5 },
          })),
        ],
        hooks: {
          drawClear: [
            ({ ctx, bbox, valToPos }) => {
              const [least, most] = panel.band;
              const top = Math.max(bbox.top, valToPos(most, "y", true));
              const bottom = Math.min(bbox.top + bbox.height, valToPos(least, "y", true));
              ctx.fillStyle = band;
              ctx.fillRect(bbox.left, top, bbox.width, Math.max(0, bottom - top));
            },
          ],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width > 5) {
                const from = self.posToVal(left, "x") * 1000;
                const to = self.posToVal(left + width, "x") * 1000;
                self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
                onView.current([from, to]);
              }
            },
          ],
        },
      },
      [[], ...panel.lines.map(() => [])] as unknown as uPlot.AlignedData,
      parent,
    );
    chart.current = plot;
    const resized = new ResizeObserver(() => {
      if (parent.clientWidth > 0) {
        plot.setSize({ width: parent.clientWidth, height: HEIGHT });
      }
    });
    resized.observe(parent);
    return () => {
      resized.disconnect();
      plot.destroy();
      parent.replaceChildren();
      chart.current = null;
    };
  }, [panel, theme]);

  useEffect(() => {
    const plot = chart.current;
    if (plot === null) {
      return;
    }
    const lines = panel.lines.map(({ quantity }) => series.get(quantity) ?? NOTHING);
    plot.batch(() => {
      plot.setData(joined(panel, lines, view, Math.max(100, plot.width)), false);
      plot.setScale("x", { min: view[0] / 1000, max: view[1] / 1000 });
    });
  }, [panel, series, version, view, theme]);

  return <div class="chart" ref={box} role="img" aria-label={`${panel.label}, chart`} />;
}
