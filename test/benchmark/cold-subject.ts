/**
 * One cold start, a process of its own: `node <this, bundled> <handler file> <event>`. Both times count from the moment
 * the handler's file is asked for: what node itself needs before that is the same whatever it loads. Imports nothing
 * that a bundle would have to load: it would be loaded already.
 */
import { lambdaContext, loadHandler } from './handler.ts';

const [, , file = '', eventText = '{}'] = process.argv;
const event: unknown = JSON.parse(eventText);
const context = lambdaContext(60_000);

const startedMs = performance.now();
const handler = await loadHandler(file);
const importMs = performance.now() - startedMs;
const answer = await handler(event, context);
const answerMs = performance.now() - startedMs;

process.send?.({ importMs, answerMs, answer }, () => process.exit());
