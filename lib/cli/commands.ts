import { buildCommand, convertCommand, joinCommand } from "./build_command.ts";
import type { Program } from "./command.ts";
import { completionsCommand } from "./completions_command.ts";
import { exportCommand, loadCommand } from "./export_command.ts";
import { helpCommand } from "./help_command.ts";
import { catCommand, diffCommand, inspectCommand } from "./inspect_command.ts";
import {
  copyCommand,
  pullCommand,
  pushCommand,
  serveCommand,
} from "./registry_command.ts";
import { generateKeyCommand, signCommand } from "./sign_command.ts";
import { TOPICS } from "./topics.ts";
import { verifyCommand } from "./verify_command.ts";
import { VERSION } from "./version.ts";

/**
 * The table of all commands. Parsing, help, completions and the manual are made
 * of it: a new command is one entry here. The first one is called where a command
 * line names none.
 */
export const PROGRAM: Program = {
  version: VERSION,
  commands: [
    buildCommand,
    convertCommand,
    joinCommand,
    exportCommand,
    loadCommand,
    inspectCommand,
    catCommand,
    diffCommand,
    pushCommand,
    pullCommand,
    copyCommand,
    serveCommand,
    verifyCommand,
    signCommand,
    generateKeyCommand,
    completionsCommand,
    helpCommand,
  ],
  topics: TOPICS,
};
