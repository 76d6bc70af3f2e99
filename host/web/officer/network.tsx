import "../style/officer.css";
import { ageText } from "../format.ts";
import { useAsked, useNow } from "../hooks.ts";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import type { Network, NetworkNode } from "../worker/officer/network-questions.ts";
import { Badge } from "./badge.tsx";
import { MeshMap, nodeName } from "./mesh-map.tsx";
import { Scroll } from "./scroll.tsx";
import { percent } from "./words.ts";

const { network: text, services } = TEXTS.officer;
const SEVERITY = { here: "good", away: "severe", heard: "good", silent: "quiet" } as const;

/** A number as each service measured it, or that nobody did. */
function Rates(props: { readonly node: NetworkNode; readonly of: "detection" | "falseAlarm" | "trust" }) {
  const { node, of } = props;
  return node.measured.length === 0 ? (
    <span class="dim">{text.notMeasured}</span>
  ) : (
    node.measured.map((measured) => (
      <span key={measured.by} class="rate">
        {percent(measured[of])}{" "}
        <small>{text.measuredBy(services.name(measured.by), measured.outcomes)}</small>
      </span>
    ))
  );
}

function Members(props: { readonly network: Network; readonly now: number }) {
  const { network, now } = props;
  const partnersOf = ({ id }: NetworkNode) =>
    network.edges
      .filter(({ between }) => between.includes(id))
      .map(({ between }) => (between[0] === id ? between[1] : between[0]));
  const heads = [
    ...[text.operator, text.stateHead, text.heard, text.alerts],
    ...[text.finds, text.errs, text.trust, text.partners],
  ];
  return (
    <Scroll label={text.table}>
      <table>
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
            return (
              <tr key={node.id}>
                <th scope="row">
                  {nodeName(node)}
                  <small>{node.url}</small>
                </th>
                <td>{node.operator ?? "–"}</td>
                <td>
                  <Badge severity={SEVERITY[node.state]} word={text.state[node.state]} />
                  {node.trouble === null ? null : <small class="failure">{node.trouble}</small>}
                </td>
                <td>
                  {node.operator === null
                    ? "–"
                    : node.lastHeard === null
                      ? text.neverHeard
                      : ageText(node.lastHeard, now)}
                </td>
                <td class="number">
                  {node.alerts === null ? "–" : node.alerts}
                  {node.waiting === 0 ? null : <small>{text.waiting(node.waiting)}</small>}
                </td>
                <td>
                  <Rates node={node} of="detection" />
                </td>
                <td>
                  <Rates node={node} of="falseAlarm" />
                </td>
                <td>
                  <Rates node={node} of="trust" />
                </td>
                <td>{partners.length === 0 ? text.nobody : partners.join(", ")}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The services and their mesh: who is there, who tells whom, how well each was measured to do. */
export function NetworkView() {
  const asked = useAsked("network", null);
  const now = useNow(5000);
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
            {network.meshOff ? (
              <div class="note">
                <p>{text.meshOff}</p>
                <p>{text.howOn}</p>
                <pre>
                  <code>{text.steps.join("\n")}</code>
                </pre>
                <p>{text.settings}</p>
              </div>
            ) : null}
          </div>
          <button type="button" onClick={asked.again}>
            {text.again}
          </button>
          <Members network={network} now={now} />
        </>
      )}
    </main>
  );
}
