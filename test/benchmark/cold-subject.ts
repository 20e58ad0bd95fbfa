/**
 * One cold start in a process of its own: `node <this file, bundled> <handler file> <event>`. Both times start when the
 * handler's file is loaded; the start of node itself is not counted. This file imports nothing that a bundle loads, because
 * that would be loaded too early.
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
