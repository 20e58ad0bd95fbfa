/** Translates one cart of a kind in a thread whose memory has a limit. */
import { parentPort, workerData } from 'node:worker_threads';
import { cartWith, labour, list, type Row, translate } from './sample-carts.ts';

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
const outline = (index: number): Row => ({ Guid: `o${index}`, ParentGuid: `o${index - 1}`, OutlineInd: 'X' });

const KINDS: Readonly<Record<string, () => Row>> = {
  'lines below a chain': () =>
    cartWith({ Items: list(...times(2000, outline), ...times(30_000, () => ({ ParentGuid: 'o1999' }))) }),
  'lines without a field': () => cartWith({ Items: list(...times(9900, (index) => ({ VendorId: index % 10 }))) }),
  'many orders and texts': () =>
    cartWith({
      Texts: list(...times(9000, () => ({ Tdid: 'NOTE', Text: 'a' }))),
      Items: list(...times(50, (index) => labour({ VendorId: String(index + 1) }))),
    }),
};

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(translate(KINDS[String(workerData)]?.()).kind);
