import type { CategoricalJson } from "./categorical.ts";
import type { Told, ToldField, ToldRoute } from "./counts.ts";

/** Values of one kind and grams that a telling may hold; what is beyond is the rarest. */
export const MOST_TOLD = 2048;
export const MOST_GRAMS = 500_000;

/** Adds up what several told of one thing, so that a few liars cannot make much of it. */
type Add = (told: readonly number[]) => number;

/**
 * A sum in which nobody counts for more than the (liars + 1)-th greatest: what only liars tell counts nothing, and
 * what they exaggerate counts no more than what an honest member says.
 */
function boundedBy(liars: number): Add {
  return (told) => {
    const most = liars === 0 ? Number.POSITIVE_INFINITY : ([...told].sort((a, b) => b - a)[liars] ?? 0);
    return told.reduce((sum, one) => sum + Math.min(one, most), 0);
  };
}

/** Numbers by key, from several; keys of whom nothing is left are dropped. */
class Gathered<K> {
  private readonly told = new Map<K, number[]>();

  take(key: K, times: number): void {
    const before = this.told.get(key);
    if (before === undefined) {
      this.told.set(key, [times]);
    } else {
      before.push(times);
    }
  }

  added(add: Add): [K, number][] {
    return [...this.told]
      .map(([key, times]): [K, number] => [key, add(times)])
      .filter(([, times]) => times > 0);
  }
}

function pairs(given: readonly (readonly number[])[], add: Add): number[] {
  const gathered = new Gathered<number>();
  for (const list of given) {
    for (let i = 0; i + 1 < list.length; i += 2) {
      gathered.take(list[i] as number, list[i + 1] as number);
    }
  }
  return gathered
    .added(add)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .flat();
}

function categoricals(given: readonly CategoricalJson[], add: Add): CategoricalJson {
  const sum = (pick: (one: CategoricalJson) => number): number => add(given.map(pick));
  const v = pairs(
    given.map((one) => one.v),
    add,
  );
  const beyond = v.slice(2 * MOST_TOLD).filter((_, at) => at % 2 === 1);
  return {
    n: sum(({ n }) => n),
    c: sum(({ c }) => c),
    s: sum(({ s }) => s),
    r: sum(({ r }) => r) + beyond.reduce((total, times) => total + times, 0),
    v: v.slice(0, 2 * MOST_TOLD),
  };
}

function fieldsOf(given: readonly ToldField[], add: Add): ToldField {
  return {
    n: add(given.map(({ n }) => n)),
    characters: categoricals(
      given.map(({ characters }) => characters),
      add,
    ),
    coarse: categoricals(
      given.map(({ coarse }) => coarse),
      add,
    ),
    fine: categoricals(
      given.map(({ fine }) => fine),
      add,
    ),
    lengths: inOrder(
      pairs(
        given.map(({ lengths }) => lengths),
        add,
      ),
    ),
  };
}

/** Lengths stand in their order, not in that of their numbers. */
function inOrder(list: readonly number[]): number[] {
  const bins: [number, number][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) {
    bins.push([list[i] as number, list[i + 1] as number]);
  }
  return bins.sort((a, b) => a[0] - b[0]).flat();
}

function grouped<T>(given: Iterable<readonly [string, T]>): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const [key, one] of given) {
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}

function routesOf(route: string, given: readonly ToldRoute[], add: Add): ToldRoute {
  const present = new Gathered<string>();
  for (const [name, times] of given.flatMap((one) => one.present)) {
    present.take(name, times);
  }
  const fields = grouped(given.flatMap((one) => Object.entries(one.fields)));
  return {
    route,
    n: add(given.map(({ n }) => n)),
    methods: categoricals(
      given.map(({ methods }) => methods),
      add,
    ),
    names: categoricals(
      given.map(({ names }) => names),
      add,
    ),
    present: present.added(add),
    fields: Object.fromEntries(
      [...fields]
        .map(([name, own]) => [name, fieldsOf(own, add)] as const)
        .filter(([, { n }]) => n > 0)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}

/** Numbers that a gram takes. */
const GRAM = 6;

function gramsOf(given: readonly (readonly number[])[], add: Add): number[] {
  const gathered = new Gathered<string>();
  for (const grams of given) {
    for (let i = 0; i + GRAM - 1 < grams.length; i += GRAM) {
      gathered.take(grams.slice(i, i + GRAM - 1).join(), grams[i + GRAM - 1] as number);
    }
  }
  return gathered
    .added(add)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, MOST_GRAMS)
    .flatMap(([key, times]) => [...key.split(",").map(Number), times]);
}

/**
 * What several members told, as one telling. The order does not matter.
 * @param liars so many of them may tell anything without making something usual that no honest member saw
 */
export function mergeTold(given: readonly Told[], liars = 0): Told {
  const add = boundedBy(liars);
  const routes = grouped(given.flatMap(({ known }) => known.map((one) => [one.route, one] as const)));
  return {
    n: add(given.map(({ n }) => n)),
    routes: categoricals(
      given.map((one) => one.routes),
      add,
    ),
    known: [...routes]
      .map(([route, own]) => routesOf(route, own, add))
      .filter(({ n }) => n > 0)
      .sort((a, b) => (a.route < b.route ? -1 : 1)),
    any: fieldsOf(
      given.map(({ any }) => any),
      add,
    ),
    grams: gramsOf(
      given.map(({ grams }) => grams),
      add,
    ),
  };
}
