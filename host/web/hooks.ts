import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isMedcloudletError } from "../base/index.ts";
import { usePage } from "./page-context.ts";
import type { Question, Questions, Told } from "./worker/messages.ts";

/** What went wrong, in words for people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function useTheme(): string {
  const [dark] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [theme, setTheme] = useState(dark.matches ? "dark" : "light");
  useEffect(() => {
    const change = () => setTheme(dark.matches ? "dark" : "light");
    dark.addEventListener("change", change);
    return () => dark.removeEventListener("change", change);
  }, [dark]);
  return theme;
}

/** The time, anew every so often, ms. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Hears what the worker tells of one kind, as long as the view stands. */
export function useTold<T extends Told["told"]>(
  kind: T,
  listener: (told: Told & { readonly told: T }) => void,
): void {
  const { port } = usePage();
  const newest = useRef(listener);
  newest.current = listener;
  useEffect(
    () =>
      port.listen((told) => {
        if (told.told === kind) {
          newest.current(told as Told & { readonly told: T });
        }
      }),
    [port, kind],
  );
}

/** Something that was asked of the worker for this view. */
export interface Asked<A> {
  /** Null until it is there; the one of before while it is asked for again. */
  readonly answer: A | null;
  readonly failure: string | null;
  /** Asks again. */
  readonly again: () => void;
}

/** Asks a question when the view appears, and when `again` is called. */
export function useAsked<Q extends Question>(
  question: Q,
  ask: Questions[Q]["ask"],
): Asked<Questions[Q]["answer"]> {
  const { port } = usePage();
  const [state, setState] = useState<{ answer: Questions[Q]["answer"] | null; failure: string | null }>({
    answer: null,
    failure: null,
  });
  const [round, setRound] = useState(0);
  const asked = JSON.stringify(ask);
  useEffect(() => {
    let gone = false;
    // Another object that says the same is no other question.
    port.ask(question, JSON.parse(asked)).then(
      (answer) => gone || setState({ answer, failure: null }),
      (error) => gone || setState(({ answer }) => ({ answer, failure: wordsOf(error) })),
    );
    return () => {
      gone = true;
    };
  }, [port, question, asked, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, again };
}

/** Something that a person does: one at a time, and what went wrong is said. */
export interface Doing {
  readonly busy: boolean;
  readonly failure: string | null;
  /** The failure's code, where it has one. */
  readonly code: string | null;
  /** True when it went through. */
  run(work: () => Promise<void>): Promise<boolean>;
}

export function useDoing(): Doing {
  const [state, setState] = useState<{ busy: boolean; failure: string | null; code: string | null }>({
    busy: false,
    failure: null,
    code: null,
  });
  const underWay = useRef(false);
  const run = useCallback(async (work: () => Promise<void>) => {
    if (underWay.current) {
      return false;
    }
    underWay.current = true;
    setState({ busy: true, failure: null, code: null });
    try {
      await work();
      setState({ busy: false, failure: null, code: null });
      return true;
    } catch (error) {
      const code = isMedcloudletError(error) ? error.code : null;
      setState({ busy: false, failure: wordsOf(error), code });
      return false;
    } finally {
      underWay.current = false;
    }
  }, []);
  return { ...state, run };
}

/** Calls back once nobody has touched the page for so long. */
export function useIdle(afterMs: number, onIdle: () => void): void {
  const newest = useRef(onIdle);
  newest.current = onIdle;
  useEffect(() => {
    // The clock on the wall, not a timer alone: a laptop that slept is locked when it wakes.
    let touched = Date.now();
    const touch = () => {
      touched = Date.now();
    };
    const events = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;
    for (const event of events) {
      addEventListener(event, touch, { passive: true, capture: true });
    }
    const timer = setInterval(() => {
      if (Date.now() - touched >= afterMs) {
        newest.current();
      }
    }, 1000);
    return () => {
      clearInterval(timer);
      for (const event of events) {
        removeEventListener(event, touch, { capture: true });
      }
    };
  }, [afterMs]);
}
