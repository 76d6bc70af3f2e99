import type uPlot from "uplot";
import type { View } from "./chart.tsx";
import { firstFrom } from "./sorted-series.ts";

interface Moved {
  readonly plot: uPlot;
  /** What has the focus. */
  readonly box: HTMLElement;
  readonly view: () => View;
  readonly onView: (view: View | null) => void;
}

const WHEEL_ZOOM = 0.0016;
const KEY_ZOOM = 0.6;
const LEAST_VIEW_MS = 5_000;
const MIDDLE_BUTTON = 1;
/** The cursor goes on by so many pixels at least, so that a key does something in a week's view, too. */
const KEY_PIXELS = 3;

/** A view with another width, in which `at` stays where it is. */
function scaled([from, to]: View, at: number, factor: number): View {
  const wide = Math.max(factor, LEAST_VIEW_MS / (to - from));
  return [at - (at - from) * wide, at + (to - at) * wide];
}

/** Calls at most once a frame, with the last that was asked for. */
function onceAFrame(show: (view: View) => void): { ask(view: View): void; pending(): View | null } {
  let asked: View | null = null;
  return {
    ask(view) {
      if (asked === null) {
        requestAnimationFrame(() => {
          const last = asked as View;
          asked = null;
          show(last);
        });
      }
      asked = view;
    },
    pending: () => asked,
  };
}

/** Moves and zooms a chart by wheel, mouse and fingers. @returns what ends it */
export function moveByPointers({ plot, box, view, onView }: Moved): () => void {
  const { over } = plot;
  const frame = onceAFrame(onView);
  const current = () => frame.pending() ?? view();
  /** Where each pointer was last, in pixels from the left. */
  const held = new Map<number, number>();
  const placeOf = ({ clientX }: { readonly clientX: number }) => clientX - over.getBoundingClientRect().left;
  const timeAt = (place: number) => {
    const [from, to] = current();
    return from + (place / Math.max(1, over.clientWidth)) * (to - from);
  };

  const wheel = (event: WheelEvent) => {
    // Without the focus the wheel scrolls the page, past five charts in a row.
    if (!event.ctrlKey && document.activeElement !== box) {
      return;
    }
    event.preventDefault();
    const [from, to] = current();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      const by = (sideways / Math.max(1, over.clientWidth)) * (to - from);
      frame.ask([from + by, to + by]);
    } else {
      frame.ask(scaled([from, to], timeAt(placeOf(event)), Math.exp(event.deltaY * WHEEL_ZOOM)));
    }
  };
  const down = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && !event.shiftKey && event.button !== MIDDLE_BUTTON) {
      return;
    }
    if (event.button === MIDDLE_BUTTON) {
      event.preventDefault();
    }
    held.set(event.pointerId, placeOf(event));
    over.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const before = held.get(event.pointerId);
    if (before === undefined) {
      return;
    }
    const place = placeOf(event);
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    held.set(event.pointerId, place);
    if (other === undefined) {
      const [from, to] = current();
      const by = ((before - place) / Math.max(1, over.clientWidth)) * (to - from);
      frame.ask([from + by, to + by]);
    } else if (Math.abs(place - other) > 1) {
      frame.ask(scaled(current(), timeAt(other), Math.abs(before - other) / Math.abs(place - other)));
    }
  };
  const up = ({ pointerId }: PointerEvent) => void held.delete(pointerId);

  over.addEventListener("wheel", wheel, { passive: false });
  over.addEventListener("pointerdown", down);
  over.addEventListener("pointermove", move);
  over.addEventListener("pointerup", up);
  over.addEventListener("pointercancel", up);
  return () => {
    over.removeEventListener("wheel", wheel);
    over.removeEventListener("pointerdown", down);
    over.removeEventListener("pointermove", move);
    over.removeEventListener("pointerup", up);
    over.removeEventListener("pointercancel", up);
  };
}

/** Moves the cursor, and the view, by keys. @returns what ends it */
export function moveByKeys({
  plot,
  box,
  view,
  onView,
  times,
}: Moved & { readonly times: () => Float64Array | undefined }): () => void {
  let at: number | null = null;

  const putCursor = (time: number): void => {
    const [from, to] = view();
    at = time;
    if (time < from || time > to) {
      const by = time < from ? time - from - (to - from) * 0.1 : time - to + (to - from) * 0.1;
      onView([from + by, to + by]);
    }
    // After the view has been drawn where the cursor goes.
    requestAnimationFrame(() => {
      const left = plot.valToPos(time / 1000, "x");
      (plot.setCursor as (place: { left: number; top: number }, fire?: boolean, publish?: boolean) => void)(
        { left, top: plot.over.clientHeight / 2 },
        true,
        true,
      );
    });
  };
  /** The next measured time that way, a few pixels off at least. */
  const step = (direction: 1 | -1): void => {
    const [from, to] = view();
    const all = times() ?? new Float64Array(0);
    const least = ((to - from) / Math.max(1, plot.over.clientWidth)) * KEY_PIXELS;
    const start = at ?? (direction === 1 ? from : to);
    const i = direction === 1 ? firstFrom(all, start + least) : firstFrom(all, start - least + 1) - 1;
    const time = all[i];
    if (time !== undefined) {
      putCursor(time);
    }
  };

  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => putCursor(view()[0]),
    End: () => putCursor(view()[1]),
    PageUp: () => moveBy(-0.5),
    PageDown: () => moveBy(0.5),
    "+": () => zoomBy(KEY_ZOOM),
    "-": () => zoomBy(1 / KEY_ZOOM),
    "0": () => onView(null),
  };
  const moveBy = (part: number): void => {
    const [from, to] = view();
    onView([from + part * (to - from), to + part * (to - from)]);
  };
  const zoomBy = (factor: number): void => {
    const [from, to] = view();
    const middle = at !== null && at > from && at < to ? at : (from + to) / 2;
    onView(scaled([from, to], middle, factor));
  };
  const press = (event: KeyboardEvent) => {
    const act = keys[event.key];
    if (act !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      act();
    }
  };
  box.addEventListener("keydown", press);
  return () => box.removeEventListener("keydown", press);
}
