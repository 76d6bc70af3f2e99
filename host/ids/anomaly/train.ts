import { MedcloudletError } from "../../base/index.ts";
import { type InspectedRequest, type ParsedRequest, parseRequest } from "../request.ts";
import { BOUNDS, type Content, type TextOf, type Told, TrafficCount } from "./counts.ts";
import {
  ANY_FIELD,
  createWitness,
  type FieldJson,
  isJudged,
  KINDS,
  type Kind,
  Protocol,
} from "./evidence.ts";
import { hashText } from "./hash.ts";
import { type AnomalyModel, MODEL_VERSION, Weighing } from "./model.ts";
import { surprise } from "./ngram.ts";
import { routeOf } from "./shape.ts";
import { measureTail, Tail } from "./tail.ts";

const FOLDS = 4;
/** A content that came this often is known to everybody: holding it out would make the usual look new. */
const USUAL = 4;
/** Fields with fewer held-out values borrow the deviation of all fields. */
const ENOUGH = 30;
/** Evidence that a request gives at most once, rather than for each of its values. */
const ONCE: ReadonlySet<Kind> = new Set([
  "route",
  "method",
  "new-name",
  "missing-name",
  "repeated-name",
  "encoding",
]);
const FIRST_TEXT: FieldJson["text"] = [0, 1, 0, 1];

/** Requests that say the same to one path, however they say it (query or form), are one content. */
function contentKey(request: ParsedRequest): string {
  const pairs = request.parts.filter(isJudged).map(({ name, value }) => `${name}=${value}`);
  return `${request.path}\n${pairs.sort().join("\n")}`;
}

function countTraffic(
  contents: readonly Content[],
  others: Told | undefined,
  toBeTold = false,
): TrafficCount {
  const count = new TrafficCount(toBeTold);
  for (const content of contents) {
    count.add(content);
  }
  if (others !== undefined) {
    count.addTold(others);
  }
  return count;
}

class Moments {
  n = 0;
  private sum = 0;
  private squares = 0;

  add(value: number): void {
    this.n++;
    this.sum += value;
    this.squares += value * value;
  }

  get(): [number, number] {
    const mean = this.n === 0 ? 0 : this.sum / this.n;
    return [mean, Math.sqrt(Math.max(0.04, this.n === 0 ? 1 : this.squares / this.n - mean * mean))];
  }
}

interface Observed {
  readonly route: string;
  readonly evidence: { kind: Kind; strength: number; at: string }[];
}

const ANY_NAME = "*";

function nameOf(at: string): string {
  return at.slice(at.indexOf(":") + 1);
}

/** What witnesses who did not see it say about each content. */
function crossExamine(contents: readonly Content[], others: Told | undefined): Observed[] {
  const observed: Observed[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const isHeldOut = ({ key }: Content) => hashText(key, 1) % FOLDS === fold;
    const traffic = countTraffic(
      contents.filter((content) => content.times >= USUAL || !isHeldOut(content)),
      others,
    ).toJson(() => FIRST_TEXT);
    const witness = createWitness(traffic);
    for (const content of contents) {
      if (isHeldOut(content)) {
        const protocol = new Protocol();
        witness.testify(content.request, protocol);
        const evidence: Observed["evidence"] = protocol.evidence.map((given) => ({ ...given }));
        for (const part of content.request.parts.filter(isJudged).slice(0, 4)) {
          const { mean, burst } = surprise(traffic.table, ANY_FIELD, part.value);
          evidence.push({ kind: "strange-text", strength: mean, at: `${part.place}:${ANY_NAME}` });
          evidence.push({ kind: "burst", strength: burst, at: `${part.place}:${ANY_NAME}` });
        }
        observed.push({ route: content.route, evidence });
      }
    }
  }
  return observed;
}

/** Mean and deviation of surprise for each field, from held-out values; few values borrow from all. */
function measureTexts(observed: readonly Observed[]): TextOf {
  const text = new Map<string, Moments>();
  const at = (key: string): Moments => {
    let moments = text.get(key);
    if (moments === undefined) {
      moments = new Moments();
      text.set(key, moments);
    }
    return moments;
  };
  for (const { route, evidence } of observed) {
    for (const { kind, strength, at: place } of evidence) {
      const name = nameOf(place);
      if (name === ANY_NAME) {
        at(kind === "burst" ? "any burst" : "any text").add(strength);
      } else if (kind === "text" || kind === "burst") {
        at(`${kind} ${route}\n${name}`).add(strength);
        at(kind).add(strength);
      }
    }
  }
  const pick = (kind: string, key: string): [number, number] => {
    const own = text.get(`${kind} ${key}`);
    const all = at(kind).get();
    if (own === undefined) {
      return all;
    }
    const [mean, sd] = own.get();
    return own.n >= ENOUGH ? [mean, sd] : [mean, Math.max(sd, all[1])];
  };
  return (route, name) =>
    route === ""
      ? [...at("any text").get(), ...at("any burst").get()]
      : [...pick("text", `${route}\n${name}`), ...pick("burst", `${route}\n${name}`)];
}

/** Puts raw surprise on the scale that the finished witness will use. */
function standardise(observed: readonly Observed[], textOf: TextOf): void {
  const [anyMean, anySd, anyBurst, anyBurstSd] = textOf("", "");
  for (const { route, evidence } of observed) {
    for (const given of evidence) {
      const name = nameOf(given.at);
      if (given.kind === "strange-text" || name === ANY_NAME) {
        const [mean, sd] = given.kind === "burst" ? [anyBurst, anyBurstSd] : [anyMean, anySd];
        given.kind = "strange-text";
        given.strength = Math.max(0, (given.strength - mean) / sd);
      } else if (given.kind === "text" || given.kind === "burst") {
        const [mean, sd, burst, burstSd] = textOf(route, name);
        given.strength = Math.max(
          0,
          given.kind === "text" ? (given.strength - mean) / sd : (given.strength - burst) / burstSd,
        );
      }
    }
  }
}

function byKind<T>(make: (kind: Kind) => T): Record<Kind, T> {
  return Object.fromEntries(KINDS.map((kind) => [kind, make(kind)])) as Record<Kind, T>;
}

/** How strange the traffic looks to witnesses who did not see it, kind by kind. */
function measureKinds(all: readonly Content[], others: Told | undefined) {
  const observed = crossExamine(all, others);
  const textOf = measureTexts(observed);
  standardise(observed, textOf);
  // Kinds that a request shows once: each repetition of a usual request is one more that did not show it.
  const repeated = all.reduce((sum, { times }) => sum + times, 0) - observed.length;
  const strengths = byKind((): number[] => []);
  for (const { evidence } of observed) {
    for (const { kind, strength } of evidence) {
      strengths[kind].push(strength);
    }
  }
  const kinds = byKind((kind) => measureTail(strengths[kind], ONCE.has(kind) ? repeated : 0));
  return { observed, textOf, kinds };
}

/** Learns what benign traffic looks like. */
export interface Trainer {
  /** One benign request. Its label, if any, is never looked at here. */
  add(request: InspectedRequest): void;
  /**
   * What others may know of the traffic: counts, each of at least `least` different contents.
   * @throws MedcloudletError `IDS_TRAINING_EMPTY`
   */
  tell(least: number): Told;
  /**
   * The model, also of what others told (`mergeTold`). What is strange is measured on the own traffic in any case.
   * @throws MedcloudletError `IDS_TRAINING_EMPTY`
   */
  finish(others?: Told): AnomalyModel;
}

export function createTrainer(): Trainer {
  const contents = new Map<string, Content>();

  /** Sorted, so that the order of the log does not matter. */
  const sorted = (): Content[] => {
    if (contents.size < FOLDS) {
      throw new MedcloudletError(
        "IDS_TRAINING_EMPTY",
        `Training needs at least ${FOLDS} different benign requests; give a longer log.`,
        { status: 400 },
      );
    }
    return [...contents.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  };

  return {
    add(request) {
      const parsed = parseRequest(request);
      const key = contentKey(parsed);
      let content = contents.get(key);
      if (content === undefined) {
        if (contents.size >= BOUNDS.contents) {
          return;
        }
        content = { key, route: routeOf(parsed.path), request: parsed, methods: new Map(), times: 0 };
        contents.set(key, content);
      }
      content.times++;
      content.methods.set(parsed.method, (content.methods.get(parsed.method) ?? 0) + 1);
    },
    tell: (least) => countTraffic(sorted(), undefined, true).tell(least),
    finish(others) {
      const all = sorted();
      const { observed, textOf, kinds } = measureKinds(all, others);
      const weighing = new Weighing(kinds);
      const weigh = ({ evidence }: Observed): Weighing => {
        weighing.clear();
        for (const given of evidence) {
          if (nameOf(given.at) !== ANY_NAME) {
            weighing.take(given);
          }
        }
        return weighing;
      };
      const fields = measureTail(observed.flatMap((one) => [...weigh(one).fieldSums]));
      const ready = new Tail(fields);
      const whole = measureTail(observed.map((one) => weigh(one).combined(ready)));
      return {
        version: MODEL_VERSION,
        traffic: countTraffic(all, others).toJson(textOf),
        kinds,
        fields,
        whole,
      };
    },
  };
}
