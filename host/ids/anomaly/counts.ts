import type { ParsedRequest } from "../request.ts";
import { CategoricalCount, type CategoricalJson } from "./categorical.ts";
import {
  ANY_FIELD,
  charactersOf,
  type FieldJson,
  fieldId,
  isJudged,
  keyOf,
  type RouteJson,
  type TrafficJson,
} from "./evidence.ts";
import { hashText } from "./hash.ts";
import { NgramCount } from "./ngram.ts";
import { coarseShapeHash, fineShapeHash, lengthBin } from "./shape.ts";

/** Bounds of a model; what is beyond is the rarest. */
export const BOUNDS = {
  routes: 1024,
  fields: 128,
  values: 512,
  characters: 128,
  shapes: 512,
  contents: 200_000,
} as const;

/** A content of the traffic: requests that say the same to one path. */
export interface Content {
  readonly key: string;
  readonly route: string;
  readonly request: ParsedRequest;
  /** Requests that had it, by method. */
  readonly methods: Map<string, number>;
  times: number;
}

/** Mean and deviation of the surprise of a field's texts. */
export type TextOf = (route: string, name: string) => FieldJson["text"];

/** What a member tells of one field: never a value, nor a hash of one. */
export interface ToldField {
  readonly n: number;
  readonly characters: CategoricalJson;
  readonly coarse: CategoricalJson;
  readonly fine: CategoricalJson;
  /** Values by bin of length: bin and number, in turns. */
  readonly lengths: readonly number[];
}

export interface ToldRoute {
  readonly route: string;
  readonly n: number;
  readonly methods: CategoricalJson;
  readonly names: CategoricalJson;
  /** Name, and requests that had it. */
  readonly present: readonly (readonly [string, number])[];
  readonly fields: Readonly<Record<string, ToldField>>;
}

/** What a member tells others of its traffic: counts that say how it looks, each of at least so many contents. */
export interface Told {
  readonly n: number;
  readonly routes: CategoricalJson;
  readonly known: readonly ToldRoute[];
  readonly any: ToldField;
  /** Field, order, two characters before, character, number, in turns. */
  readonly grams: readonly number[];
}

/** Punctuation of ASCII is told from the first: it says nothing of anybody. Two keys for each character. */
const isAscii = (key: number): boolean => key < 256;

class FieldCount {
  n = 0;
  private readonly values = new CategoricalCount();
  private readonly characters = new CategoricalCount();
  private readonly coarse = new CategoricalCount();
  private readonly fine = new CategoricalCount();
  private readonly lengths = new Map<number, number>();

  add(value: string, times: number): void {
    this.n++;
    this.values.add([hashText(value)], times);
    this.characters.add(charactersOf(value), times);
    this.coarse.add([coarseShapeHash(value)], times);
    this.fine.add([fineShapeHash(value)], times);
    this.addLength(Math.min(158, lengthBin(value.length)), 1);
  }

  addTold({ n, characters, coarse, fine, lengths }: ToldField): void {
    this.n += n;
    this.characters.addTold(characters);
    this.coarse.addTold(coarse);
    this.fine.addTold(fine);
    for (let i = 0; i + 1 < lengths.length; i += 2) {
      this.addLength(lengths[i] as number, lengths[i + 1] as number);
    }
  }

  private addLength(bin: number, times: number): void {
    this.lengths.set(bin, (this.lengths.get(bin) ?? 0) + times);
  }

  tell(least: number): ToldField {
    return {
      n: this.n,
      characters: this.characters.tell(BOUNDS.characters, least, isAscii),
      coarse: this.coarse.tell(BOUNDS.shapes, least),
      fine: this.fine.tell(BOUNDS.shapes, least),
      lengths: this.lengthsFrom(least),
    };
  }

  private lengthsFrom(least: number): number[] {
    return [...this.lengths]
      .filter(([, times]) => times >= least)
      .sort((a, b) => a[0] - b[0])
      .flat();
  }

  toJson(text: FieldJson["text"]): FieldJson {
    return {
      n: this.n,
      values: this.values.toJson(BOUNDS.values),
      characters: this.characters.toJson(BOUNDS.characters),
      coarse: this.coarse.toJson(BOUNDS.shapes),
      fine: this.fine.toJson(BOUNDS.shapes),
      lengths: this.lengthsFrom(1),
      text,
    };
  }
}

class RouteCount {
  n = 0;
  /** Different contents. */
  contents = 0;
  readonly methods = new CategoricalCount();
  readonly names = new CategoricalCount();
  readonly present = new Map<string, number>();
  readonly fields = new Map<string, FieldCount>();

  addPresent(name: string, times: number): void {
    this.present.set(name, (this.present.get(name) ?? 0) + times);
  }

  /** Undefined beyond the bound. */
  field(name: string): FieldCount | undefined {
    let field = this.fields.get(name);
    if (field === undefined && this.fields.size < BOUNDS.fields) {
      field = new FieldCount();
      this.fields.set(name, field);
    }
    return field;
  }

  tell(route: string, least: number): ToldRoute {
    const told = [...this.fields].filter(([, { n }]) => n >= least);
    const names = new Set(told.map(([name]) => name));
    return {
      route,
      n: this.n,
      methods: this.methods.tell(16, least),
      names: this.names.tell(BOUNDS.fields, least),
      present: [...this.present].filter(([name]) => names.has(name)),
      fields: Object.fromEntries(told.map(([name, field]) => [name, field.tell(least)])),
    };
  }
}

/** Counts of a part of the traffic, and of what others told of theirs. */
export class TrafficCount {
  private n = 0;
  private readonly routes = new Map<string, RouteCount>();
  private readonly seenRoutes = new CategoricalCount();
  private readonly any = new FieldCount();
  private readonly grams = new NgramCount();
  /** Grams by the different values that hold them, where they are to be told. */
  private readonly tellable: NgramCount | undefined;
  private readonly values = new Set<string>();

  /** @param toBeTold keeps what `tell` needs */
  constructor(toBeTold = false) {
    this.tellable = toBeTold ? new NgramCount() : undefined;
  }

  add({ route: name, request, methods, times }: Content): void {
    this.n += times;
    this.seenRoutes.add([keyOf(name)], times);
    const route = this.route(name);
    if (route === undefined) {
      return;
    }
    route.n += times;
    route.contents++;
    route.methods.add([...methods.keys()].map(keyOf), times);
    const judged = request.parts.filter(isJudged);
    const names = new Set(judged.map((part) => part.name));
    route.names.add([...names].map(keyOf), times);
    for (const present of names) {
      route.addPresent(present, times);
    }
    for (const part of judged) {
      route.field(part.name)?.add(part.value, times);
      this.any.add(part.value, times);
      this.addText(fieldId(name, part.name), part.value);
      this.addText(ANY_FIELD, part.value);
    }
  }

  private addText(field: number, value: string): void {
    this.grams.add(field, value);
    const key = `${field}\n${value}`;
    if (this.tellable !== undefined && !this.values.has(key)) {
      this.values.add(key);
      this.tellable.add(field, value, true);
    }
  }

  addTold(told: Told): void {
    this.n += told.n;
    this.seenRoutes.addTold(told.routes);
    this.any.addTold(told.any);
    this.grams.addTold(told.grams);
    for (const { route: name, n, methods, names, present, fields } of told.known) {
      const route = this.route(name);
      if (route === undefined) {
        continue;
      }
      route.n += n;
      route.methods.addTold(methods);
      route.names.addTold(names);
      for (const [given, times] of present) {
        route.addPresent(given, times);
      }
      for (const [given, field] of Object.entries(fields)) {
        route.field(given)?.addTold(field);
      }
    }
  }

  private route(name: string): RouteCount | undefined {
    let route = this.routes.get(name);
    if (route === undefined && this.routes.size < BOUNDS.routes) {
      route = new RouteCount();
      this.routes.set(name, route);
    }
    return route;
  }

  /** What may be told: only what at least so many different contents have in common. */
  tell(least: number): Told {
    const known = [...this.routes].filter(([, { contents }]) => contents >= least);
    const fields = new Set([ANY_FIELD]);
    const told = known.map(([name, route]) => route.tell(name, least));
    for (const { route, fields: own } of told) {
      for (const name of Object.keys(own)) {
        fields.add(fieldId(route, name));
      }
    }
    return {
      n: this.n,
      routes: this.seenRoutes.tell(BOUNDS.routes, least),
      known: told,
      any: this.any.tell(least),
      grams: this.tellable?.tell(least, fields) ?? [],
    };
  }

  toJson(textOf: TextOf): TrafficJson {
    const known: RouteJson[] = [...this.routes].map(([route, count]) => ({
      route,
      n: count.n,
      methods: count.methods.toJson(16),
      names: count.names.toJson(BOUNDS.fields),
      always: [...count.present]
        .map(([name, times]) => [name, times / (count.n + 1)] as const)
        .filter(([, share]) => share > 0.5)
        .slice(0, BOUNDS.fields),
      fields: Object.fromEntries(
        [...count.fields].map(([name, field]) => [name, field.toJson(textOf(route, name))]),
      ),
    }));
    return {
      n: this.n,
      routes: this.seenRoutes.toJson(BOUNDS.routes),
      table: this.grams.compile(),
      known,
      any: this.any.toJson(textOf("", "")),
    };
  }
}
