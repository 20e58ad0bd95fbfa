/**
 * Every event of the log: its stable name, which saved queries, alarms and tests read, and its sentence, which people
 * read. A line carries both, as `event` and `message`.
 */
export const LOG_EVENTS = {
  'extraction.slice-started': 'Reading approved carts',
  'extraction.page-queued': 'Page queued',
  'extraction.queued-not-recorded':
    'The ledger did not take which carts were queued; the next run queues copies of them',
  'extraction.completed': 'Extraction complete',
  'extraction.stopped': 'Extraction out of time; the next run continues',
  'extraction.locked': 'Another run holds the watermark; this run ends',
  'extraction.failed': 'Extraction failed; the next run reads the same window again',
  'extraction.count-mismatch': 'SRM announced another number of carts than it delivered; the slice is read again',
  'extraction.slice-too-large': 'A page of the slice is too large; it is read again in narrower slices',
  'extraction.cart-closed': 'A person has settled the cart by hand; the replay leaves it out',
  'extraction.clock-skew': 'The clocks of SRM and of this function differ; the clock of SRM is used',
  'extraction.clock-ignored': 'The Date of SRM’s answers is not its clock; the clock of this function is used',
  'extraction.behind': 'By SRM’s clock there is nothing beyond what was read already; the run is not complete',
  'extraction.lease-not-released': 'The lease could not be released; the next run waits until it ends',

  'page.row-unreadable':
    'A row of SRM cannot be read; it goes on as text, and the other rows of its page are not held back',

  'reconciliation.completed': 'Reconciliation complete',
  'reconciliation.stopped': 'Reconciliation out of time; the next one continues',
  'reconciliation.inconclusive': 'Reconciliation could not classify some carts, because consumption is paused',
  'reconciliation.slice-unreadable': 'A slice of the reconciliation cannot be read; the others are',
  'reconciliation.failed': 'Reconciliation failed; the next one continues where this one ended',
  'reconciliation.cart-queued': 'The ledger does not account for the cart; it is queued again',

  'order.created': 'Order created',
  'order.recovered': 'Order found, created by an earlier attempt',
  'order.outcome-unknown': 'The outcome of a create is unknown; the order is looked up',

  'cart.translated': 'Cart translated',
  'cart.translated-with-warnings': 'Cart translated with warnings',
  'cart.skipped': 'Cart skipped',
  'cart.retry-scheduled': 'Cart will be tried again',
  'cart.requeued': 'Cart goes back on the queue as a new message',
  'cart.refused': '11VMS or SRM refuses us; the cart is not at fault',
  'cart.dead-lettered': 'Cart goes to the dead-letter queue',
  'cart.recovered': 'The cart was lost; reconciliation recovered it',
  'cart.requeue-failed': 'The cart could not be requeued',

  'attempt.failed': 'Attempt failed unexpectedly',
  'verdict.read-failed': 'The verdict could not be read',
  'verdict.write-failed': 'The verdict could not be recorded',
  'verdict.withdraw-failed': 'The provisional verdict could not be withdrawn',
  'message.visibility-not-set': 'Some messages keep the visibility timeout of the queue',

  'consumption.state-unknown': 'It could not be read whether consumption is paused',
  'consumption.pausing': 'Consumption is being paused',
  'consumption.pause-failed': 'The breaker could not be opened',
  'consumption.still-paused': '11VMS is not healthy yet; consumption stays paused',
  'consumption.trial-inconclusive': 'Whether 11VMS is healthy could not be seen; consumption stays paused',
  'consumption.carts-not-counted': 'How many carts wait could not be read',
  'consumption.resumed': '11VMS is healthy again; consumption resumes',
  'consumption.hold-not-released': 'The hold on the breaker could not be released',

  'redrive.planned': 'A redrive is planned',
  'dead-letters.not-released': 'Some dead letters stay hidden until their time ends',

  'health.reported': 'Cloud ALM was told how the interface is',
  'health.not-reported': 'Cloud ALM was not told how the interface is; the next run tells it',

  'operation.ended': 'An act by hand has ended',
  'operation.end-not-recorded': 'The end of an act by hand could not be recorded',

  'order-numbers.written': 'Order numbers written back to SRM',
  'order-numbers.known': 'SRM has the order numbers from another event of the cart',
  'order-numbers.postponed': 'Order numbers not written back yet',
  'order-numbers.refused': 'Order numbers refused by SRM; the message goes to its dead-letter queue',
  'order-numbers.message-unreadable': 'The message is no event of an order; it goes to its dead-letter queue',

  'call.slow': 'Slow call',
} as const satisfies Readonly<Record<string, string>>;

export type LogEvent = keyof typeof LOG_EVENTS;
