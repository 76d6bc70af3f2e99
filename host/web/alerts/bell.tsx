import { useEffect, useRef, useState } from "preact/hooks";
import "../style/alerts.css";
import { TEXTS } from "../texts/index.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";
import { playAlert, soundIsOn } from "./alert-sound.ts";
import { calls, isOpen, useAlerts } from "./use-alerts.ts";

const FLASH_EVERY_MS = 1000;
const NONE: readonly PageAlert[] = [];

/** What makes a call a new one: an alert that was escalated calls again. */
function callOf({ id, alert: { tier, level } }: PageAlert): string {
  return `${id} ${tier} ${level}`;
}

function withoutMark(title: string): string {
  return title.replace(/^(⚠ \d+ \S+ |\(\d+\) )/, "");
}

/** Says in the title of the window how many alerts call, and flashes there where that was asked for. */
function useTitle(calling: number): void {
  useEffect(() => {
    if (calling === 0) {
      document.title = withoutMark(document.title);
      return;
    }
    const { titleMark, titleFlash } = TEXTS.alerts.bell;
    let lit = false;
    const mark = () => {
      lit = !lit && soundIsOn();
      document.title = `${lit ? titleFlash(calling) : titleMark(calling)}${withoutMark(document.title)}`;
    };
    mark();
    const timer = setInterval(mark, FLASH_EVERY_MS);
    return () => {
      clearInterval(timer);
      document.title = withoutMark(document.title);
    };
  }, [calling]);
}

/** The number of open alerts, in the bar on every view; new ones are said aloud and, where wanted, heard. */
export function Bell() {
  const alerts = useAlerts() ?? NONE;
  const [news, setNews] = useState("");
  const called = useRef<ReadonlySet<string>>(new Set());
  const open = alerts.filter(({ alert }) => isOpen(alert));
  const calling = open.filter(({ alert }) => calls(alert));
  const grave = calling.filter(({ alert }) => alert.level !== "attention");
  const text = TEXTS.alerts;
  useTitle(grave.length);

  useEffect(() => {
    const fresh = calling.filter((one) => !called.current.has(callOf(one)));
    called.current = new Set(calling.map(callOf));
    const [first] = fresh;
    if (first === undefined) {
      return;
    }
    const { patient, alert } = first;
    setNews(text.bell.news(text.level[alert.level], patient, alert.reason));
    if (fresh.some((one) => one.alert.level !== "attention") && soundIsOn()) {
      playAlert().catch(() => null);
    }
  }, [alerts]);

  const [worst] = calling;
  return (
    <span class={`alert-count ${worst === undefined ? "" : worst.alert.level}`}>
      <span aria-hidden="true">{open.length === 0 ? "" : open.length}</span>
      <span class="visually-hidden">{text.bell.words(open.length, calling.length)}</span>
      <span class="visually-hidden" role="alert">
        {news}
      </span>
    </span>
  );
}
