import type uPlot from "uplot";
import type { AlertLevel } from "../../analytics/index.ts";

/** Something that happened at a time of the readings, ms. */
export interface Mark {
  readonly time: number;
  readonly level: AlertLevel;
  readonly words: string;
}

const COLOURS: Readonly<Record<AlertLevel, string>> = {
  emergency: "--high",
  urgent: "--medium",
  attention: "--text-dim",
};
const FLAG = 9;

/** A line down from a flag; graver ones have a full flag, so that colour is not all that tells. */
export function drawMarks(plot: uPlot, marks: readonly Mark[], colour: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const { time, level } of marks) {
    const x = Math.round(plot.valToPos(time / 1000, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) {
      continue;
    }
    ctx.strokeStyle = colour(COLOURS[level]);
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = ratio * (level === "attention" ? 1 : 1.5);
    ctx.setLineDash(level === "attention" ? [3 * ratio, 3 * ratio] : []);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x + FLAG * ratio, bbox.top + (FLAG / 2) * ratio);
    ctx.lineTo(x, bbox.top + FLAG * ratio);
    ctx.closePath();
    if (level === "attention") {
      ctx.stroke();
    } else {
      ctx.fill();
    }
  }
  ctx.restore();
}
