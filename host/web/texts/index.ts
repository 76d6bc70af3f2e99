/**
 * Everything that the page says, in one folder: another language is another folder like `en`, with the same names, and
 * chosen in `all.ts`. A namespace, so that the words of an area are loaded with the first view that says them; whoever
 * takes it apart (`const { alerts } = TEXTS`) loads all of it.
 */
export * as TEXTS from "./all.ts";
