/** `npm run docs`: writes the documents that are printed from the code. A test fails when one is stale. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writtenDocuments } from './documents.ts';

const root = join(import.meta.dirname, '..', '..');
for (const [path, text] of await writtenDocuments()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(path);
}
