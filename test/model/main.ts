import { explore } from './explore.ts';
import type { Scenario } from './world.ts';
const base: Scenario = { name: 'x', says: 'x', messages: [1], workers: 2, redrives: 0, throttles: 1, target: 'careless', lookUp: 'works', zombies: false };
for (const s of [{...base}, {...base, messages:[1] as const, redrives:1}, {...base, lookUp:'none' as const}]) {
  const t = Date.now();
  const r = await explore(s);
  console.log(JSON.stringify({...r, ms: Date.now()-t}, null, 1));
}
