/** The CDK app. `-c env=dev|test|prod` or `-c env=./file.json` says which environment to synthesize. */
import { createCheckedApp } from './checked-app.ts';
import { ENVIRONMENTS, loadEnvironment } from './environments.ts';
import { addPurchaseOrderStack } from './synthesize.ts';

const app = createCheckedApp();
const choice: unknown = app.node.tryGetContext('env');
try {
  if (typeof choice !== 'string') {
    throw new Error(`Which environment? Add -c env=${Object.keys(ENVIRONMENTS).join('|')}, or -c env=./file.json.`);
  }
  await addPurchaseOrderStack(app, loadEnvironment(choice));
} catch (error) {
  // A wrong entry is a mistake of the operator: the message is enough, and a stack trace would hide it.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
