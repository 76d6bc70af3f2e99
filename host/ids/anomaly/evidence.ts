import type { ParsedRequest, Part } from "../request.ts";
import { Categorical, type CategoricalJson } from "./categorical.ts";
import { hashText } from "./hash.ts";
import { surprise } from "./ngram.ts";
import { coarseShapeHash, fineShapeHash, lengthBin, routeOf } from "./shape.ts";

/** Kinds of evidence against a request, each measured on its own scale and made comparable by its tail. */
export const KINDS = [
  "route",
  "method",
  "new-name",
  "missing-name",
  "repeated-name",
  "value",
  "character",
  "coarse-shape",
  "fine-shape",
  "length",
  "text",
  "burst",
  "strange-text",
  "encoding",
] as const;
export type Kind = (typeof KINDS)[number];

export interface Evidence {
  readonly kind: Kind;
  readonly strength: number;
  /** Place of what is strange, e.g. `form:login`. */
  readonly at: string;
}

export interface FieldJson {
  readonly n: number;
  readonly values: CategoricalJson;
  readonly characters: CategoricalJson;
  readonly coarse: CategoricalJson;
  readonly fine: CategoricalJson;
  /** Values by bin of length: bin and number, in turns. */
  readonly lengths: readonly number[];
  /** Mean and deviation of the surprise of unseen benign values: text, then burst. */
  readonly text: readonly [number, number, number, number];
}

export interface RouteJson {
  readonly route: string;
  readonly n: number;
  readonly methods: CategoricalJson;
  readonly names: CategoricalJson;
  /** Name, and the share of requests that have it. */
  readonly always: readonly (readonly [string, number])[];
  readonly fields: Readonly<Record<string, FieldJson>>;
}

export interface TrafficJson {
  readonly n: number;
  readonly routes: CategoricalJson;
  readonly table: Uint8Array;
  readonly known: readonly RouteJson[];
  /** All fields of all routes taken together. */
  readonly any: FieldJson;
}

/** Which parts a request's anomaly is judged by: what the client chose to say to the application. */
export function isJudged(part: Part): boolean {
  switch (part.place) {
    case "path":
    case "header":
    case "name":
    case "protocol":
    case "joined":
      return false;
    default:
      return true;
  }
}

/** Field ids of the n-gram table: by route and name, and one for all. */
export function fieldId(route: string, name: string): number {
  return hashText(`${route}\n${name}`);
}
export const ANY_FIELD = 7;

const MAX_CHARACTERS = 256;

/** Letters and digits tell nothing here; the n-grams look at them. */
const TELLING = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  TELLING[code] = /[a-zA-Z0-9 ]/.test(String.fromCharCode(code)) ? 0 : 1;
}

function tells(code: number): boolean {
  return code < 128 ? TELLING[code] === 1 : code < 0xc0 || code >= 0x250;
}

/** Which characters a text holds, and which of them twice, where they are no Latin letters and no digits. */
class Characters {
  readonly keys = new Int32Array(MAX_CHARACTERS + 1);
  /** The text in which a key was seen last. */
  private readonly seen = new Uint32Array(2 * 65_536);
  private now = 0;

  /** How many of `keys` are of this text. */
  read(text: string): number {
    this.now = (this.now + 1) >>> 0;
    if (this.now === 0) {
      this.seen.fill(0);
      this.now = 1;
    }
    const { keys, seen, now } = this;
    let count = 0;
    if (text.includes(" ")) {
      keys[count++] = 64;
    }
    for (let i = 0; i < text.length && count < MAX_CHARACTERS; i++) {
      const code = text.charCodeAt(i);
      if (tells(code)) {
        const once = 2 * code;
        const key = seen[once] === now ? once + 1 : once;
        if (seen[key] !== now) {
          seen[key] = now;
          keys[count++] = key;
        }
      }
    }
    return count;
  }
}

const characters = new Characters();

/** The keys of a text's characters, to be counted. */
export function charactersOf(text: string): number[] {
  return [...characters.keys.subarray(0, characters.read(text))];
}

/** Takes evidence in as it is found; what is not strange at all has a strength of 0 or less. */
export interface Listener {
  say(kind: Kind, strength: number, at: string): void;
}

/** Writes everything down, what is not strange too: training counts it. */
export class Protocol implements Listener {
  readonly evidence: Evidence[] = [];

  say(kind: Kind, strength: number, at: string): void {
    this.evidence.push({ kind, strength: Math.max(0, strength), at });
  }
}

class Field {
  private readonly values: Categorical;
  private readonly characters: Categorical;
  private readonly coarse: Categorical;
  private readonly fine: Categorical;
  private readonly shorter: Float64Array;
  /** Its id in the n-gram table. */
  readonly id: number;
  private readonly shortest: number;
  private readonly longest: number;
  readonly json: FieldJson;

  constructor(json: FieldJson, id: number) {
    this.json = json;
    this.id = id;
    this.values = new Categorical(json.values);
    this.characters = new Categorical(json.characters);
    this.coarse = new Categorical(json.coarse);
    this.fine = new Categorical(json.fine);
    this.shortest = json.lengths[0] ?? 0;
    this.longest = Math.min(158, json.lengths[json.lengths.length - 2] ?? 158);
    this.shorter = new Float64Array(160);
    for (let i = 0; i + 1 < json.lengths.length; i += 2) {
      const bin = Math.min(158, json.lengths[i] as number);
      this.shorter[bin + 1] = (this.shorter[bin + 1] as number) + (json.lengths[i + 1] as number);
    }
    for (let bin = 1; bin < 160; bin++) {
      this.shorter[bin] = (this.shorter[bin] as number) + (this.shorter[bin - 1] as number);
    }
  }

  length(text: string): number {
    const bin = Math.min(158, lengthBin(text.length));
    const all = this.shorter[159] as number;
    const atMost = this.shorter[bin + 1] as number;
    const atLeast = all - (this.shorter[bin] as number);
    const least = Math.min(atMost, atLeast);
    // Beyond all experience it matters how far beyond.
    const edge = least > 0 ? bin : atMost === 0 ? this.shortest : this.longest;
    return (
      Math.max(0, -Math.log2((least + 0.5) / (all + 1))) + 4 * Math.abs(Math.log2((bin + 1) / (edge + 1)))
    );
  }

  judge(text: string, at: string, into: Listener): void {
    let character = 0;
    let second = 0;
    const { keys } = characters;
    const count = characters.read(text);
    for (let i = 0; i < count; i++) {
      const bits = this.characters.rarity(keys[i] as number);
      if (bits > character) {
        second = character;
        character = bits;
      } else if (bits > second) {
        second = bits;
      }
    }
    into.say("value", this.values.rarity(hashText(text)), at);
    into.say("character", character + second / 4, at);
    into.say("coarse-shape", this.coarse.rarity(coarseShapeHash(text)), at);
    into.say("fine-shape", this.fine.rarity(fineShapeHash(text)), at);
    into.say("length", this.length(text), at);
  }
}

/** Keys of a categorical are numbers; names and methods go by their hash. */
export const keyOf = (text: string): number => hashText(text);

interface Route {
  readonly methods: Categorical;
  readonly names: Categorical;
  readonly always: RouteJson["always"];
  readonly fields: Map<string, Field>;
}

/** Something that tells what is strange about a request. */
export interface Witness {
  /** Tells the listener, and returns whether it knows the request's route. */
  testify(request: ParsedRequest, into: Listener): boolean;
}

const STRANGE: readonly [Kind, Kind] = ["strange-text", "strange-text"];
const USUAL: readonly [Kind, Kind] = ["text", "burst"];

export function createWitness(traffic: TrafficJson): Witness {
  const routes = new Map<string, Route>();
  for (const { route, methods, names, always, fields } of traffic.known) {
    const made = new Map(
      Object.entries(fields).map(([name, field]) => [name, new Field(field, fieldId(route, name))]),
    );
    routes.set(route, {
      methods: new Categorical(methods),
      names: new Categorical(names),
      always,
      fields: made,
    });
  }
  const seenRoutes = new Categorical(traffic.routes);
  const any = new Field(traffic.any, ANY_FIELD);

  const judgeText = (
    field: Field,
    text: string,
    at: string,
    into: Listener,
    kinds: readonly [Kind, Kind],
  ) => {
    const { mean, burst } = surprise(traffic.table, field.id, text);
    const [m, sd, mBurst, sdBurst] = field.json.text;
    into.say(kinds[0], (mean - m) / sd, at);
    into.say(kinds[1], (burst - mBurst) / sdBurst, at);
  };

  return {
    testify(request, into) {
      const name = routeOf(request.path);
      const route = routes.get(name);
      into.say("route", route === undefined ? seenRoutes.rarity(keyOf(name)) : 0, "path");
      const seen = new Map<string, number>();
      let rounds = 0;
      for (const part of request.parts) {
        rounds = Math.max(rounds, part.rounds);
        if (!isJudged(part)) {
          continue;
        }
        const at = `${part.place}:${part.name}`;
        seen.set(part.name, (seen.get(part.name) ?? 0) + 1);
        const field = route?.fields.get(part.name);
        if (field === undefined) {
          judgeText(any, part.value, at, into, STRANGE);
        } else {
          field.judge(part.value, at, into);
          judgeText(field, part.value, at, into, USUAL);
        }
      }
      into.say("encoding", rounds, "request");
      if (route === undefined) {
        return false;
      }
      into.say("method", route.methods.rarity(keyOf(request.method)), "method");
      let strangest = 0;
      let strangestName = "";
      let repeated = 0;
      for (const [given, times] of seen) {
        const bits = route.names.rarity(keyOf(given));
        if (bits > strangest) {
          strangest = bits;
          strangestName = given;
        }
        repeated = Math.max(repeated, given.includes("[]") ? 0 : times - 1);
      }
      let missing = 0;
      let missingName = "";
      for (const [expected, share] of route.always) {
        const bits = seen.has(expected) ? 0 : -Math.log2(1 - share);
        if (bits > missing) {
          missing = bits;
          missingName = expected;
        }
      }
      into.say("new-name", strangest, `name:${strangestName}`);
      into.say("missing-name", missing, `name:${missingName}`);
      into.say("repeated-name", repeated, "request");
      return true;
    },
  };
}
