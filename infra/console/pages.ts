/** All pages, in the order of the navigation. */
import type { ConsolePage } from './page.ts';
import { auditPage } from './pages/audit.ts';
import { cartPage } from './pages/cart.ts';
import { cartsPage } from './pages/carts.ts';
import { deadLettersPage } from './pages/dead-letters.ts';
import { findPage } from './pages/find.ts';
import { nowPage } from './pages/now.ts';
import { operationsPage } from './pages/operations.ts';
import { runPage, runsPage } from './pages/runs.ts';
import { workbenchPage } from './pages/workbench.ts';

export const PAGES: readonly ConsolePage[] = [
  nowPage,
  deadLettersPage,
  cartsPage,
  cartPage,
  findPage,
  runsPage,
  runPage,
  workbenchPage,
  auditPage,
  operationsPage,
];
