import "../style/officer.css";
import "../style/officer-tables.css";
import { useEffect } from "preact/hooks";
import { ageText } from "../format.ts";
import { useAsked, useNow } from "../hooks.ts";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import type { Network, NetworkNode } from "../worker/officer/network-questions.ts";
import { Badge } from "./badge.tsx";
import { Scroll } from "./blocks.tsx";
import { MeshMap, nodeName } from "./mesh-map.tsx";
import { percent } from "./words.ts";

const { network: text, services } = TEXTS.officer;
/** What the members tell each other arrives within seconds. */
const ASK_EVERY_MS = 5000;
const SEVERITY = { here: "good", away: "severe", heard: "good", silent: "quiet" } as const;

function Members(props: { readonly network: Network; readonly now: number }) {
  const { network, now } = props;
  const partnersOf = ({ id }: NetworkNode) =>
    network.edges
      .filter(({ between }) => between.includes(id))
      .map(({ between }) => (between[0] === id ? between[1] : between[0]));
  const heads = [text.operator, text.stateHead, text.heard, text.alerts, text.partners] as const;
  return (
    <Scroll label={text.table}>
      <table class="cards">
        <caption>{text.table}</caption>
        <thead>
          <tr>
            <th scope="col">{text.member}</th>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {network.nodes.map((node) => {
            const partners = partnersOf(node);
            const heard = node.lastHeard === null ? text.neverHeard : ageText(node.lastHeard, now);
            return (
              <tr key={node.id}>
                <th scope="row">
                  {nodeName(node)}
                  <small>{node.url}</small>
                </th>
                <td data-label={text.operator}>{node.operator ?? "–"}</td>
                <td data-label={text.stateHead}>
                  <Badge severity={SEVERITY[node.state]} word={text.state[node.state]} />
                  {node.trouble === null ? null : <small class="failure">{node.trouble}</small>}
                </td>
                <td data-label={text.heard}>{node.operator === null ? "–" : heard}</td>
                <td data-label={text.alerts} class="number">
                  {node.alerts ?? "–"}
                  {node.waiting === 0 ? null : <small>{text.waiting(node.waiting)}</small>}
                </td>
                <td data-label={text.partners}>
                  {partners.length === 0 ? text.nobody : partners.join(", ")}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

/** How well each member does, as each of our services measured it; what one says of itself is no measure. */
function Rates({ network }: { readonly network: Network }) {
  const rows = network.nodes.flatMap((node) =>
    node.measured.filter(({ by }) => by !== node.service).map((measured) => ({ node, measured })),
  );
  if (rows.length === 0) {
    return null;
  }
  const heads = [text.by, text.finds, text.errs, text.trust, text.outcomes] as const;
  return (
    <Scroll label={text.rates}>
      <table class="cards">
        <caption>{text.rates}</caption>
        <thead>
          <tr>
            <th scope="col">{text.member}</th>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ node, measured }) => (
            <tr key={`${node.id} ${measured.by}`}>
              <th scope="row">{nodeName(node)}</th>
              <td data-label={text.by}>{services.name(measured.by)}</td>
              <td data-label={text.finds} class="number">
                {percent(measured.detection)}
              </td>
              <td data-label={text.errs} class="number">
                {percent(measured.falseAlarm)}
              </td>
              <td data-label={text.trust} class="number">
                {percent(measured.trust)}
              </td>
              <td data-label={text.outcomes} class="number">
                {measured.outcomes}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="dim">{text.ratesHint}</p>
    </Scroll>
  );
}

/** How a mesh is switched on, where there is none. */
function HowOn() {
  return (
    <div class="note">
      <p>{text.meshOff}</p>
      <p>{text.howOn}</p>
      <pre>
        <code>{text.steps.join("\n")}</code>
      </pre>
      <p>{text.settings}</p>
    </div>
  );
}

/** The services and their mesh: who is there, who tells whom, how well each was measured to do. */
export function NetworkView() {
  const asked = useAsked("network", null);
  const now = useNow(ASK_EVERY_MS);
  const { again } = asked;
  useEffect(() => {
    const timer = setInterval(again, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [again]);
  const network = asked.answer;
  return (
    <main class="officer" aria-busy={network === null}>
      <h1>{text.title}</h1>
      {asked.failure === null ? null : <Failure text={asked.failure} />}
      {network === null ? (
        <p class="dim">{text.loading}</p>
      ) : (
        <>
          <div class="spread">
            <figure class="map">
              <MeshMap network={network} />
            </figure>
            {network.meshOff ? <HowOn /> : <Rates network={network} />}
          </div>
          <Members network={network} now={now} />
        </>
      )}
    </main>
  );
}
