import { ageText } from "../format.ts";
import { TEXTS } from "../texts/index.ts";
import type { PatientRow } from "../worker/streams.ts";
import { signsOf } from "./signs.ts";

/** The newest values side by side, in the order of the charts; what is older than the others says how old. */
export function VitalSigns(props: {
  readonly vitals: PatientRow["vitals"];
  readonly now: number;
  /** With whole words, for who does not speak in short ones. */
  readonly plain?: boolean;
}) {
  const { vitals, now, plain = false } = props;
  return (
    <dl class={plain ? "signs plain-signs" : "signs"}>
      {signsOf(vitals).map(({ label, short, value, time, lagging }) => {
        const age = lagging && time !== null ? ageText(time, now) : null;
        return (
          <div
            key={label}
            class={age === null ? undefined : "lagging"}
            title={age === null ? undefined : TEXTS.vitals.measured(age)}
          >
            <dt>
              {plain ? label : short}
              {age === null ? null : (
                <>
                  {" "}
                  <small aria-hidden="true">{TEXTS.age.short(age)}</small>
                  <span class="visually-hidden">{TEXTS.vitals.measured(age)}</span>
                </>
              )}
            </dt>
            <dd>{value}</dd>
          </div>
        );
      })}
    </dl>
  );
}
