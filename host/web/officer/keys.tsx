import "../style/officer.css";
import "../style/officer-tables.css";
import type { TicketKeyAges } from "../../client/index.ts";
import { dateText } from "../format.ts";
import { useAsked, useNow } from "../hooks.ts";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import { AccountsSection, ResetsSection } from "./accounts.tsx";
import { Badge } from "./badge.tsx";
import { Prose, Scroll } from "./blocks.tsx";
import { overdueBy } from "./duties.ts";
import { EmergenciesSection } from "./emergencies.tsx";
import { KeyTurns } from "./key-turns.tsx";

const DAY_MS = 24 * 3_600_000;
const { keys: text, turns } = TEXTS.officer;

type KeyState = keyof typeof text.states;
const SEVERITY = { current: "good", next: "slight", retired: "quiet", overdue: "severe" } as const;

/** What a key does at the moment. */
export function keyState(
  { keys, nextAt }: TicketKeyAges,
  { activeFrom, retiredAt }: TicketKeyAges["keys"][number],
  now: number,
): KeyState {
  if (activeFrom > now && keys.length > 1) {
    return "next";
  }
  if (retiredAt !== null && retiredAt <= now) {
    return "retired";
  }
  return overdueBy({ nextAt }, now) === null ? "current" : "overdue";
}

function TicketKeys(props: { readonly ages: TicketKeyAges; readonly now: number }) {
  const { ages, now } = props;
  return (
    <Scroll label={text.tickets}>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{text.kid}</th>
            <th scope="col">{text.state}</th>
            <th scope="col">{text.since}</th>
            <th scope="col">{text.age}</th>
          </tr>
        </thead>
        <tbody>
          {[...ages.keys].reverse().map((key) => {
            const state = keyState(ages, key, now);
            return (
              <tr key={key.kid}>
                <th scope="row">
                  <code>{key.kid}</code>
                </th>
                <td data-label={text.state}>
                  <Badge severity={SEVERITY[state]} word={text.states[state]} />
                </td>
                <td data-label={text.since}>
                  {state === "next" ? text.signsFrom(dateText(key.activeFrom)) : dateText(key.activeFrom)}
                </td>
                <td data-label={text.age} class="number">
                  {text.days(Math.max(0, Math.floor((now - key.activeFrom) / DAY_MS)))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

/** What is overdue, and who does what about it. Officers see it; operators act. */
function Due(props: { readonly ages: TicketKeyAges; readonly now: number }) {
  const { ages, now } = props;
  const late = overdueBy(ages, now);
  return (
    <section aria-labelledby="due">
      <h2 id="due">{turns.due}</h2>
      {late === null ? (
        <p>{turns.nothing(dateText(ages.nextAt))}</p>
      ) : (
        <div class="banner" role="alert">
          <Prose of={turns.overdue(Math.max(1, Math.round(late / DAY_MS)))} />
        </div>
      )}
      <p class="dim">
        <Prose of={turns.leaked} />
      </p>
    </section>
  );
}

function MeshKeys() {
  const { answer, failure } = useAsked("network", null);
  const members = answer?.nodes.filter(({ operator }) => operator !== null) ?? [];
  return (
    <section aria-labelledby="mesh-keys">
      <h2 id="mesh-keys">{text.mesh}</h2>
      {failure === null ? null : <Failure text={failure} />}
      {answer === null ? null : members.length === 0 ? (
        <p class="dim">{text.noMesh}</p>
      ) : (
        <>
          <Scroll label={text.mesh}>
            <table class="cards">
              <thead>
                <tr>
                  <th scope="col">{text.member}</th>
                  <th scope="col">{text.meshKey}</th>
                </tr>
              </thead>
              <tbody>
                {members.map(({ id, signingKey }) => (
                  <tr key={id}>
                    <th scope="row">{id}</th>
                    <td data-label={text.meshKey}>
                      {signingKey === null ? text.noKey : <code>{signingKey}</code>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
          <p class="dim">
            <Prose of={text.meshHint} />
          </p>
        </>
      )}
    </section>
  );
}

/** Keys and how old they are, emergencies, accounts: what an officer oversees at the KDC. */
export function KeysView() {
  const ages = useAsked("ticketKeyAges", null);
  const now = useNow(10_000);
  return (
    <main class="officer">
      <h1>{text.title}</h1>
      <div class="columns even">
        <div>
          {ages.answer === null ? null : <Due ages={ages.answer} now={now} />}
          <section aria-labelledby="ticket-keys">
            <h2 id="ticket-keys">{text.tickets}</h2>
            {ages.failure === null ? null : <Failure text={ages.failure} />}
            {ages.answer === null ? null : <TicketKeys ages={ages.answer} now={now} />}
            <p class="dim">
              <Prose of={text.ticketsHint} />
            </p>
          </section>
          <KeyTurns />
          <MeshKeys />
        </div>
        <div>
          <EmergenciesSection />
          <AccountsSection />
          <ResetsSection />
        </div>
      </div>
    </main>
  );
}
