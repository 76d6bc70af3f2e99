import type { Command } from "commander";
import { newCommand } from "./options.ts";

export function communityDemo(): Command {
  return newCommand("demo", "x");
}
