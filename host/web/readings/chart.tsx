import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { TEXTS } from "../texts/index.ts";
import { decimate } from "./decimate.ts";
import { drawMarks, type Mark } from "./marks.ts";
import { moveByKeys, moveByPointers } from "./moving.ts";
import type { PanelSpec } from "./panel.ts";
import { createReadout } from "./readout.ts";
import type { SortedSeries } from "./sorted-series.ts";

/** What is seen: from, to, in ms. */
export type View = readonly [from: number, to: number];

/** A line of fewer pixels is drawn as a point. */
const LEAST_LINE = 3;
/** Fewer pixels of a drag are a click. */
const LEAST_DRAG = 5;
const HEIGHT = 160;
/** Fewer than this in view are drawn as points, too. */
const FEW_POINTS = 60;
const DAY_SECONDS = 86_400;

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

/**
 * Indices of values that are too short a line to be seen, with a gap on either side. Where another line has a sample and
 * this one none, a value is undefined.
 * @param least shortest line that is seen, in the unit of the times
 */
function lonely(
  times: ArrayLike<number>,
  values: ArrayLike<number | null | undefined>,
  least: number,
): number[] {
  const found: number[] = [];
  let [first, last] = [-1, -1];
  for (let i = 0; i <= values.length; i++) {
    const value = i === values.length ? null : values[i];
    if (value === null) {
      if (first >= 0 && (times[last] as number) - (times[first] as number) < least) {
        found.push(last);
      }
      first = -1;
    } else if (value !== undefined) {
      first = first < 0 ? i : first;
      last = i;
    }
  }
  return found;
}

/** A line as it is drawn: of now, or of so long before, ms. */
interface Line {
  readonly series: SortedSeries | undefined;
  readonly before: number;
}

/** One axis of time for all lines of a chart: where one has no sample of its own, it goes on undisturbed. */
function joined(lines: readonly Line[], [from, to]: View, columns: number): uPlot.AlignedData {
  const drawn = lines.map(({ series, before }) => {
    if (series === undefined) {
      return [[], []];
    }
    const { times, values } = decimate(series, from - before, to - before, columns);
    return [times.map((time) => (time + before) / 1000), values];
  }) as uPlot.AlignedData[];
  const [only] = drawn;
  return drawn.length === 1 && only !== undefined
    ? only
    : uPlot.join(
        drawn,
        drawn.map(() => [2]),
      );
}

/**
 * A chart that draws what is in view, decimated to its pixels. Zoomed by dragging, by the wheel with Ctrl or once it has
 * the focus, by two fingers; moved by dragging with Shift or the middle button, or by one finger; back by a double click.
 * With the keyboard it is a slider of time.
 */
export function Chart(props: {
  readonly panel: PanelSpec;
  readonly series: ReadonlyMap<string, SortedSeries>;
  /** Grows with each new reading: the series are the same objects then. */
  readonly version: number;
  readonly view: View;
  readonly theme: string;
  readonly marks: readonly Mark[];
  /** Draws the same hours of so long before as well, ms; 0 for none. */
  readonly before: number;
  readonly onView: (view: View | null) => void;
}) {
  const { panel, series, version, view, theme, marks, before } = props;
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLOutputElement>(null);
  const chart = useRef<uPlot | null>(null);
  const refresh = useRef<(plot: uPlot) => void>(() => {});
  const now = useRef(props);
  now.current = props;

  // Another theme is another chart, for a canvas knows no style sheets.
  useEffect(() => {
    const parent = box.current as HTMLDivElement;
    const colour = createPalette(parent);
    const band = colour("--band");
    const onView = (next: View | null) => now.current.onView(next);
    const showAt = createReadout(panel, () => now.current);
    /** What is under the cursor, or the newest. */
    const readOut = (self: uPlot): void => {
      const { left = -1 } = self.cursor;
      const { view: shown, series: all } = now.current;
      const newest = all.get(panel.lines[0]?.quantity ?? "")?.times.at(-1);
      const at = left < 0 ? newest : self.posToVal(left, "x") * 1000;
      // Not the width of an element: to ask for it while texts change would lay the page out anew each time.
      const perPixel = (shown[1] - shown[0]) / Math.max(1, self.bbox.width / devicePixelRatio);
      const words = at === undefined ? "" : showAt(at, left < 0 ? 0 : perPixel);
      (readout.current as HTMLOutputElement).textContent = words;
      parent.setAttribute("aria-valuetext", words);
      parent.setAttribute("aria-valuenow", String(Math.round(at ?? shown[1])));
    };
    refresh.current = readOut;
    const axis = {
      stroke: colour("--text-dim"),
      grid: { stroke: colour("--grid"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const compared = before > 0;
    const plot = new uPlot(
      {
        width: parent.clientWidth,
        height: HEIGHT,
        // On the right, half of a label of the time has room.
        padding: [8, 20, 0, 0],
        legend: { show: false },
        cursor: {
          sync: { key: "vitals" },
          y: false,
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
          bind: {
            // With Shift, or the middle button, the chart is moved instead.
            mousedown: (_plot, _target, handler) => (event) => {
              if (!event.shiftKey) {
                handler(event);
              }
              return null;
            },
            dblclick: () => () => {
              onView(null);
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
            points: {
              // A cuff measures twice an hour: its line alone would hide when.
              show: (_plot: uPlot, _line: number, first: number, last: number) => last - first < FEW_POINTS,
              // A sample or two between gaps have no line that anybody sees.
              filter: (self: uPlot, line: number, show: boolean) => {
                const [from, to] = now.current.view;
                const least = (LEAST_LINE * (to - from)) / 1000 / Math.max(1, self.width);
                return show ? null : lonely(self.data[0], self.data[line] ?? [], least);
              },
              size: 5,
            },
          })),
          ...(compared ? panel.lines : []).map(({ label }) => ({
            label,
            stroke: colour("--text-dim"),
            width: 1.2,
            dash: [5, 4],
            spanGaps: false,
            points: { show: false },
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
          draw: [(self) => drawMarks(self, now.current.marks, colour)],
          setCursor: [(self) => readOut(self)],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width > LEAST_DRAG) {
                const from = self.posToVal(left, "x") * 1000;
                const to = self.posToVal(left + width, "x") * 1000;
                self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
                onView([from, to]);
              }
            },
          ],
        },
      },
      [
        [],
        ...panel.lines.map(() => []),
        ...(compared ? panel.lines : []).map(() => []),
      ] as unknown as uPlot.AlignedData,
      parent,
    );
    chart.current = plot;
    const moved = { plot, box: parent, view: () => now.current.view, onView };
    const endings = [
      moveByPointers(moved),
      moveByKeys({ ...moved, times: () => now.current.series.get(panel.lines[0]?.quantity ?? "")?.times }),
    ];
    const resized = new ResizeObserver(() => {
      if (parent.clientWidth > 0) {
        plot.setSize({ width: parent.clientWidth, height: HEIGHT });
      }
    });
    resized.observe(parent);
    return () => {
      for (const end of endings) {
        end();
      }
      resized.disconnect();
      plot.destroy();
      parent.replaceChildren();
      chart.current = null;
    };
  }, [panel, theme, before]);

  useEffect(() => {
    const plot = chart.current;
    if (plot === null) {
      return;
    }
    const lines = (before > 0 ? [0, before] : [0]).flatMap((ago) =>
      panel.lines.map(({ quantity }): Line => ({ series: series.get(quantity), before: ago })),
    );
    plot.batch(() => {
      plot.setData(joined(lines, view, Math.max(100, plot.width)), false);
      plot.setScale("x", { min: view[0] / 1000, max: view[1] / 1000 });
    });
    refresh.current(plot);
  }, [panel, series, version, view, theme, marks, before]);

  return (
    <>
      <figcaption>
        <span>{panel.label}</span>
        <span class="dim">{panel.unit}</span>
        <output class="at" ref={readout} />
        <span class="dim key">{panel.bandLabel}</span>
      </figcaption>
      <div
        class="chart"
        ref={box}
        role="slider"
        tabIndex={0}
        aria-label={TEXTS.charts.slider(panel.label)}
        aria-valuemin={Math.round(view[0])}
        aria-valuemax={Math.round(view[1])}
        aria-valuenow={Math.round(view[1])}
      />
    </>
  );
}
