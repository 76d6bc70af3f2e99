import { MedcloudletError } from "../base/index.ts";

/** A generalisation hierarchy as it is written: a value, or a name for everything below it. */
export type TaxonomyNode = string | { readonly name: string; readonly children: readonly TaxonomyNode[] };

/** Code of a value that is missing, in every attribute. */
export const MISSING = 0;

/**
 * A hierarchy with its leaves numbered from 1 in depth-first order, so that whatever a node stands for is one interval
 * of codes. The missing value is code 0, a leaf of its own below the root.
 */
export interface Taxonomy {
  /** Leaves that were written down; a missing value is not among them. */
  readonly leaves: number;
  /** Longest way from the root to a leaf. */
  readonly height: number;
  readonly nodes: readonly TaxonomyPlace[];
  /** Code of a value, undefined where the hierarchy does not hold it. */
  codeOf(value: string): number | undefined;
  /** The lowest node that stands for both codes. */
  cover(low: number, high: number): TaxonomyPlace;
}

/** A node: `first` to `last` are the codes it stands for. */
export interface TaxonomyPlace {
  readonly name: string;
  readonly parent: TaxonomyPlace | null;
  readonly children: readonly TaxonomyPlace[];
  readonly first: number;
  readonly last: number;
  /** Longest way to a leaf; 0 for a leaf. */
  readonly height: number;
}

interface Draft {
  name: string;
  parent: Draft | null;
  children: Draft[];
  first: number;
  last: number;
  height: number;
}

/**
 * Compiles a hierarchy.
 * @throws MedcloudletError `RESEARCH_SCHEMA_INVALID` where a name stands twice or a node has no children
 */
export function compileTaxonomy(root: TaxonomyNode): Taxonomy {
  const nodes: Draft[] = [];
  const names = new Set<string>();
  const codes = new Map<string, number>();
  const leafPlaces: Draft[] = [];
  let next = MISSING + 1;

  function add(node: TaxonomyNode, parent: Draft | null): Draft {
    const name = typeof node === "string" ? node : node.name;
    if (names.has(name)) {
      throw invalid(`"${name}" stands twice in a hierarchy: every value and every group needs its own name`);
    }
    names.add(name);
    const draft: Draft = { name, parent, children: [], first: next, last: next, height: 0 };
    nodes.push(draft);
    if (typeof node === "string") {
      codes.set(name, next);
      leafPlaces[next] = draft;
      next++;
      return draft;
    }
    if (node.children.length === 0) {
      throw invalid(`the group "${name}" of a hierarchy is empty: write a value as a plain text`);
    }
    for (const child of node.children) {
      const made = add(child, draft);
      draft.children.push(made);
      draft.height = Math.max(draft.height, made.height + 1);
    }
    draft.last = next - 1;
    return draft;
  }

  if (typeof root === "string") {
    throw invalid("a hierarchy begins with a group: an object with name and children");
  }
  const top = add(root, null);
  const missing: Draft = {
    name: "",
    parent: top,
    children: [],
    first: MISSING,
    last: MISSING,
    height: 0,
  };
  leafPlaces[MISSING] = missing;
  top.children.unshift(missing);
  top.first = MISSING;
  nodes.push(missing);

  return {
    leaves: next - 1,
    height: top.height,
    nodes,
    codeOf: (value) => codes.get(value),
    cover(low, high) {
      let place = leafPlaces[low] as Draft;
      while (place.last < high && place.parent !== null) {
        place = place.parent;
      }
      return place;
    },
  };
}

function invalid(why: string): MedcloudletError {
  return new MedcloudletError("RESEARCH_SCHEMA_INVALID", `The schema cannot be used: ${why}.`, {
    status: 400,
  });
}
