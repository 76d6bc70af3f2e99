import { ageText } from "../format.ts";
import { TEXTS } from "../texts/index.ts";
import type { ServiceState } from "../worker/officer/watch-questions.ts";

const text = TEXTS.officer.services;

/** How it stands with each service; who is away says so and hides none of the others. */
export function ServiceStrip(props: { readonly services: readonly ServiceState[]; readonly now: number }) {
  const { services, now } = props;
  return (
    <>
      <ul class="services" aria-label={text.label}>
        {services.map(({ id, state, since }) => (
          <li key={id} class={state}>
            <strong>{text.name(id)}</strong> <span>{text[state]}</span>
            {state === "away" ? <small>{text.awayFor(ageText(since, now))}</small> : null}
          </li>
        ))}
      </ul>
      <div role="status">
        {services.map(({ id, state, trouble, faultAt }) => (
          <div key={id}>
            {state === "away" && trouble !== null ? (
              <p class="banner">{text.trouble(text.name(id), trouble)}</p>
            ) : null}
            {faultAt === null ? null : (
              <p class="banner">{text.fault(text.name(id), ageText(faultAt, now))}</p>
            )}
          </div>
        ))}
      </div>
    </>
  );
}
