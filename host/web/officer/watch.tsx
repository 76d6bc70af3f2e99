import { useEffect, useRef, useState } from "preact/hooks";
import "../style/officer.css";
import "../style/officer-tables.css";
import { useNow, useTold } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { goTo, type Route } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { WatchState } from "../worker/officer/watch-questions.ts";
import { AlertList } from "./alert-list.tsx";
import { DecisionView } from "./decision.tsx";
import { AppealList, DecisionList } from "./decision-list.tsx";
import { ExemptionList } from "./exemptions.tsx";
import { MinuteChart } from "./minute-chart.tsx";
import { ServiceStrip } from "./service-strip.tsx";
import { TrafficChart } from "./traffic-chart.tsx";
import { isInForce } from "./words.ts";

const { watch: text, measure, subject, services } = TEXTS.officer;

/** What all services found and did, as it comes; or one decision, and why. */
export function WatchView({ rest }: { readonly rest: Route }) {
  const { port } = usePage();
  const [state, setState] = useState<WatchState | null>(null);
  const now = useNow(1000);
  useTold("watch", (told) => setState(told.state));
  useEffect(() => {
    port.ask("watch", null).catch(() => null);
  }, [port]);

  const [service, decision] = rest;
  const heading = useRef<HTMLHeadingElement>(null);
  /** The address of the decision that is looked at. */
  const left = useRef("");
  useEffect(() => {
    const before = left.current;
    left.current = decision === undefined ? "" : location.hash;
    if (decision === undefined && before !== "") {
      // Whoever goes by keyboard goes on where they were; what was lifted is folded away, and takes no focus there.
      const links = [...document.querySelectorAll<HTMLElement>("a.decision")];
      const link = links.find((one) => one.getAttribute("href") === before);
      link?.focus();
      if (document.activeElement !== link) {
        heading.current?.focus();
      }
    }
  }, [decision]);
  if (service !== undefined && decision !== undefined) {
    return (
      <DecisionView key={decision} service={service} id={decision} now={now} onBack={() => goTo("watch")} />
    );
  }
  const newest = state?.decisions.find((one) => isInForce(one, now));
  return (
    <main class="officer" aria-busy={state === null}>
      <h1 ref={heading} tabIndex={-1}>
        {text.title}
      </h1>
      {state === null ? (
        <p class="dim">{text.waiting}</p>
      ) : (
        <>
          <p class="visually-hidden" role="status">
            {newest === undefined
              ? ""
              : text.newest(
                  measure[newest.measure],
                  subject[newest.subject.kind],
                  services.name(newest.service),
                )}
          </p>
          <ServiceStrip services={state.services} now={now} />
          <div class="columns">
            <div>
              <MinuteChart minutes={state.minutes} until={state.until} />
              <AlertList groups={state.groups} decisions={state.decisions} now={now} />
            </div>
            <div>
              <TrafficChart />
              <DecisionList decisions={state.decisions} now={now} />
              <AppealList appeals={state.appeals} now={now} />
              <ExemptionList exemptions={state.exemptions} now={now} />
            </div>
          </div>
        </>
      )}
    </main>
  );
}
