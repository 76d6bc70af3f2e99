import { update as applyWithMingo } from "mingo";
import type { Document } from "mongodb";
import { invalid } from "../errors.ts";
import type { Seed, Update, UpdateOperator } from "../update.ts";
import { isPlainObject, isScalar, valueAt } from "../values.ts";

/** Applies an update to a document in place. mingo skips what it cannot do, a server refuses it, so check first. */
export function applyUpdate(document: Document, { $setOnInsert: _, ...update }: Update): void {
  for (const [operator, fields] of Object.entries(update)) {
    for (const path of Object.keys(fields)) {
      assertApplicable(document, operator as UpdateOperator, path);
    }
  }
  applyWithMingo(document, update as Parameters<typeof applyWithMingo>[1]);
}

/** The document an upsert inserts. */
export function upsertedDocument(seed: Seed, { $setOnInsert, ...update }: Update): Document {
  const { _id: chosen, ...defaults } = $setOnInsert ?? {};
  const { _id: given, ...equal } = Object.fromEntries(seed);
  const document: Document = { _id: given ?? chosen };
  for (const start of [equal, defaults]) {
    if (Object.keys(start).length > 0) {
      applyUpdate(document, { $set: start });
    }
  }
  applyUpdate(document, update);
  return document;
}

function assertApplicable(document: Document, operator: UpdateOperator, path: string): void {
  if (operator === "$unset") {
    return;
  }
  const parts = path.split(".");
  for (let i = 1; i < parts.length; i++) {
    const ancestor = valueAt(document, parts.slice(0, i).join("."));
    if (ancestor !== undefined && !isPlainObject(ancestor)) {
      throw invalid(`${operator} cannot reach ${path}: something on the way is not an object.`);
    }
  }
  const target = valueAt(document, path);
  if (target !== undefined && !suits(operator, target)) {
    throw invalid(`${operator} does not suit the value that is at ${path}.`);
  }
}

function suits(operator: UpdateOperator, target: unknown): boolean {
  switch (operator) {
    case "$inc":
      return typeof target === "number";
    case "$push":
    case "$pull":
      return Array.isArray(target);
    case "$min":
    case "$max":
      return isScalar(target);
    default:
      return true;
  }
}
