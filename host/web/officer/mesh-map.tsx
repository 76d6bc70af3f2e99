import { TEXTS } from "../texts/index.ts";
import type { Network, NetworkNode } from "../worker/officer/network-questions.ts";

const [WIDTH, HEIGHT] = [440, 380];
const RADIUS = { x: 150, y: 125 } as const;
const NODE = 13;
/** Alerts live an hour: older word is none. */
const LIVE_MS = 3_600_000;
const MOST_LETTERS = 14;
const { network: text, services } = TEXTS.officer;

interface Placed {
  readonly node: NetworkNode;
  readonly x: number;
  readonly y: number;
}

/** On a circle from the top on, clockwise; one alone in the middle. */
function place(nodes: readonly NetworkNode[]): Placed[] {
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
        return (
          <g key={node.id} class={`node ${node.state}`}>
            <title>{`${nodeName(node)}: ${text.state[node.state]}`}</title>
            <circle cx={x} cy={y} r={NODE} />
            <text x={x} y={above ? y - NODE - 26 : y + NODE + 22} class="name">
              {short(nodeName(node))}
            </text>
            <text x={x} y={above ? y - NODE - 8 : y + NODE + 40} class="state">
              {text.state[node.state]}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
