/** The names that code, alarms and dashboard share. */

export const METRIC_NAMESPACE = 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1';

export const SERVICE_NAMES = {
  extractor: 'extract-approved-carts',
  worker: 'create-purchase-orders',
  supervisor: 'supervise-consumption',
  reconciler: 'reconcile-carts',
  redriver: 'redrive-dead-letters',
  cloudAlmReporter: 'report-to-cloud-alm',
  numberWriter: 'write-order-numbers',
} as const;

export const METRICS = {
  cartsRead: 'CartsRead',
  cartsQueued: 'CartsQueued',
  extractionCompleted: 'ExtractionCompleted',
  extractionFailed: 'ExtractionFailed',
  ordersCreated: 'OrdersCreated',
  ordersRecovered: 'OrdersRecovered',
  cartsSkipped: 'CartsSkipped',
  attemptsRetried: 'AttemptsRetried',
  cartsDeadLettered: 'CartsDeadLettered',
  outcomesUnknown: 'OutcomesUnknown',
  targetRefused: 'TargetRefused',
  targetThrottled: 'TargetThrottled',
  /** Extractions that ended because SRM refuses us. */
  sourceRefused: 'SourceRefused',
  /** Milliseconds of one call, and calls without a whole answer or answered 5xx. Token requests do not count. */
  srmCallDuration: 'SrmCallDuration',
  srmCallErrors: 'SrmCallErrors',
  vmsCallDuration: 'VmsCallDuration',
  vmsCallErrors: 'VmsCallErrors',
  /** Carts requeued as new messages: the failure was systemic, and no receive was left. */
  cartsRequeued: 'CartsRequeued',
  /** Seconds since a cart first waited on the queue, each time that it has to wait again. */
  cartWaitTime: 'CartWaitTime',
  /** 1 while the circuit breaker keeps consumption paused, 0 while carts flow: reported every minute. */
  consumptionPaused: 'ConsumptionPaused',
  /** Carts of which an order exists only because the daily reconciliation queued them again. */
  cartsRecovered: 'CartsRecovered',
  /** Dead letters that the redriver put back on the queue. */
  deadLettersRedriven: 'DeadLettersRedriven',
  reconciliationCompleted: 'ReconciliationCompleted',
  /** Properties that the contract with SRM does not know. */
  unknownProperties: 'UnknownProperties',
  /** Milliseconds from the cart's last change (its approval) to the order. */
  approvalToOrder: 'ApprovalToOrder',
} as const;
