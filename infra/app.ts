/**
 * The CDK app. `-c env=dev|test|prod` or `-c env=./file.json` says which environment to synthesize. `npm run deploy` adds
 * `-c creating=true` until the stack is created, and `-c deployment=FILE` with what the deployment says of itself.
 */
import { readFileSync } from 'node:fs';
import { deploymentSchema } from './deployment.ts';
import { ENVIRONMENTS, loadWithWarnings } from './environments.ts';

try {
  // Checked before aws-cdk-lib is loaded, which takes seconds: the CLI passes the context in this variable.
  const context: unknown = JSON.parse(process.env['CDK_CONTEXT_JSON'] ?? '{}');
  const choice: unknown = Reflect.get(Object(context), 'env');
  if (typeof choice !== 'string') {
    throw new Error(`Which environment? Add -c env=${Object.keys(ENVIRONMENTS).join('|')}, or -c env=./file.json.`);
  }
  const file: unknown = Reflect.get(Object(context), 'deployment');
  const environment = loadWithWarnings(choice, (warning) => {
    // `npm run deploy` has said it.
    if (typeof file !== 'string') console.error(`note: ${warning}`);
  });
  const [{ createCheckedApp }, { addPurchaseOrderStack }] = await Promise.all([
    import('./checked-app.ts'),
    import('./synthesize.ts'),
  ]);
  const isBeingCreated = Reflect.get(Object(context), 'creating') === 'true';
  const deployment =
    typeof file === 'string' ? deploymentSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  await addPurchaseOrderStack(createCheckedApp(), environment, { isBeingCreated, deployment });
} catch (error) {
  // A wrong entry is a mistake of the operator: the message is enough, and a stack trace would hide it.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
