/** All pages, in the order of the navigation. */
import type { ConsolePage } from './page.ts';
import { deadLettersPage } from './pages/dead-letters.ts';
import { nowPage } from './pages/now.ts';
import { workbenchPage } from './pages/workbench.ts';

export const PAGES: readonly ConsolePage[] = [nowPage, deadLettersPage, workbenchPage];
