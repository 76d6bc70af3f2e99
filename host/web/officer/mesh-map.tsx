import { TEXTS } from "../texts/index.ts";
import type { Network, NetworkNode } from "../worker/officer/network-questions.ts";
import { percent } from "./words.ts";

const [WIDTH, HEIGHT] = [480, 430];
const RADIUS = { x: 150, y: 125 } as const;
const NODE = 13;
/** From one line of a node's words to the next. */
const LINE = 18;
/** Alerts live an hour: older word is none. */
const LIVE_MS = 3_600_000;
const MOST_LETTERS = 20;
const { network: text, services } = TEXTS.officer;

interface Placed {
  readonly node: NetworkNode;
  readonly x: number;
  readonly y: number;
}

/** On a circle from the top on, clockwise, members of the mesh first; one alone in the middle. */
function place(all: readonly NetworkNode[]): Placed[] {
  const isMember = ({ operator }: NetworkNode) => operator !== null;
  const nodes = [...all.filter(isMember), ...all.filter((node) => !isMember(node))];
  return nodes.map((node, i) => {
    const angle = (i / nodes.length) * 2 * Math.PI - Math.PI / 2;
    const far = nodes.length === 1 ? 0 : 1;
    return {
      node,
      x: WIDTH / 2 + far * RADIUS.x * Math.cos(angle),
      y: HEIGHT / 2 + far * RADIUS.y * Math.sin(angle),
    };
  });
}

/** What a node is called: its name in the mesh, or the service that it is. */
export function nodeName({ id, operator }: NetworkNode): string {
  return operator === null ? services.name(id) : id;
}

/** What those say who had most to go by; what one says of itself is no measure. */
function ratesOf({ measured, service }: NetworkNode): string | null {
  const others = measured.filter(({ by }) => by !== service);
  const [best] = [...others].sort((a, b) => b.outcomes - a.outcomes);
  return best === undefined ? null : text.rateOf(percent(best.detection), percent(best.falseAlarm));
}

const short = (name: string) => (name.length <= MOST_LETTERS ? name : `${name.slice(0, MOST_LETTERS - 1)}…`);

/** Who is there and who tells whom, in a circle. The table beside it says the same in words. */
export function MeshMap({ network }: { readonly network: Network }) {
  const { nodes, edges, at } = network;
  const placed = place(nodes);
  const of = (id: string) => placed.find(({ node }) => node.id === id);
  return (
    <svg
      class="mesh"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={text.map(nodes.length, edges.length)}
    >
      {edges.map(({ between, lastHeard }) => {
        const [from, to] = [of(between[0]), of(between[1])];
        const live = lastHeard !== null && at - lastHeard < LIVE_MS;
        return from === undefined || to === undefined ? null : (
          <line
            key={between.join(" ")}
            class={live ? "edge live" : "edge"}
            x1={from.x}
            y1={from.y}
            x2={to.x}
            y2={to.y}
          />
        );
      })}
      {placed.map(({ node, x, y }) => {
        const above = y < HEIGHT / 2 - 1;
        const rates = ratesOf(node);
        const lines = [
          { name: "name", words: short(nodeName(node)) },
          { name: "state", words: text.state[node.state] },
          ...(rates === null ? [] : [{ name: "rates", words: rates }]),
        ];
        const top = above ? y - NODE - 8 - LINE * (lines.length - 1) : y + NODE + 22;
        return (
          <g key={node.id} class={`node ${node.state}`}>
            <title>{`${nodeName(node)}: ${text.state[node.state]}`}</title>
            <circle cx={x} cy={y} r={NODE} />
            {lines.map(({ name, words }, i) => (
              <text key={name} x={x} y={top + LINE * i} class={name}>
                {words}
              </text>
            ))}
          </g>
        );
      })}
    </svg>
  );
}
