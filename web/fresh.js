// Stops a build whose types of the interface are not those of the OpenAPI document.
// Who only installs Glimpser has neither the tool nor a change of the document, and passes.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';

const TOOL = 'node_modules/openapi-typescript/bin/cli.js';
const DOCUMENT = '../docs/reference/openapi.json';

if (existsSync(TOOL) && existsSync(DOCUMENT)) {
  const flags = ['--alphabetize', '--check', '-o', 'src/api/schema.d.ts'];
  const { status } = spawnSync(process.execPath, [TOOL, ...flags, DOCUMENT], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write('src/api/schema.d.ts is out of date: run `just web-types`.\n');
    process.exit(1);
  }
}
