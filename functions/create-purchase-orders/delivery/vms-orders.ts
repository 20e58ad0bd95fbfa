/** The only code that calls 11VMS, through its proxy 11VMSProxy_V2. Source: target-11vms.md, "Operations". */
import type { HttpClient, HttpResponse } from '../../../shared/http-client.ts';
import { createWireOrder } from '../translation/wire-order.ts';
import type { CreateAnswer, LookUpResult } from './answers.ts';
import {
  NO_LOOK_UP,
  readCreateAnswer,
  readCreateFailure,
  readLookUpAnswer,
  readLookUpFailure,
  readSignOfLife,
} from './vms-answers.ts';
import type { VmsSettings } from './vms-settings.ts';

export interface OrderRequest {
  readonly externalId: string;
  /** The order as JSON. */
  readonly body: string;
  readonly idempotencyKey: string;
  readonly correlationId: string;
}

/** Each call is sent by `sendByMs`, or not at all: also when this process stood still after the call was asked for. */
export interface VmsOrders {
  /** This 11VMS has no look-up: none is ever sent. */
  readonly hasNoLookUp: boolean;
  create(request: OrderRequest, sendByMs: number): Promise<CreateAnswer>;
  lookUp(externalId: string, correlationId: string, sendByMs: number): Promise<LookUpResult>;
  /**
   * A look-up that finds nothing and changes nothing: it shows the health of 11VMS, regardless of any order. Where there
   * is no look-up, a read of the collection shows whether anything answers.
   */
  probe(correlationId: string, sendByMs: number): Promise<LookUpResult>;
}

const INTERFACE_ID = 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1';
/** No order has it: a real externalId begins with its source system. */
const PROBE_ID = 'PROBE';

export function createVmsOrders(http: HttpClient, now: () => number, settings: VmsSettings): VmsOrders {
  const { collectionPath, lookUpBy } = settings;
  const form = { ...settings, wire: createWireOrder(settings) };
  const hasNoLookUp = lookUpBy === 'none';
  const headers = (correlationId: string) => ({
    Accept: 'application/json, application/problem+json',
    'X-Correlation-ID': correlationId,
    'X-Interface-ID': INTERFACE_ID,
  });

  async function get(
    path: string,
    correlationId: string,
    sendByMs: number,
    read: (response: HttpResponse) => LookUpResult,
  ): Promise<LookUpResult> {
    // What a gateway remembers from before a create shows nothing of it.
    const fresh = { ...headers(correlationId), 'Cache-Control': 'no-cache' };
    try {
      return read(await http.request({ method: 'GET', path, headers: fresh, sendByMs }));
    } catch (error) {
      return readLookUpFailure(error);
    }
  }

  function lookUp(
    call: 'look-up' | 'probe',
    externalId: string,
    correlationId: string,
    sendByMs: number,
  ): Promise<LookUpResult> {
    const name = encodeURIComponent(externalId);
    const path = lookUpBy.startsWith('?') ? collectionPath + lookUpBy + name : lookUpBy.replace('{externalId}', name);
    return get(path, correlationId, sendByMs, (response) =>
      readLookUpAnswer(response, { externalId, call, nowMs: now(), form }),
    );
  }

  return {
    hasNoLookUp,
    async create({ externalId, body, idempotencyKey, correlationId }, sendByMs) {
      try {
        const response = await http.request({
          method: 'POST',
          path: collectionPath,
          headers: {
            ...headers(correlationId),
            'Content-Type': 'application/json; charset=utf-8',
            'Idempotency-Key': `"${idempotencyKey}"`,
          },
          body,
          sendByMs,
        });
        return readCreateAnswer(response, externalId, now(), form);
      } catch (error) {
        return readCreateFailure(error);
      }
    },
    lookUp: (externalId, correlationId, sendByMs) =>
      hasNoLookUp ? Promise.resolve(NO_LOOK_UP) : lookUp('look-up', externalId, correlationId, sendByMs),
    probe: (correlationId, sendByMs) =>
      hasNoLookUp
        ? get(collectionPath, correlationId, sendByMs, (response) => readSignOfLife(response, now()))
        : lookUp('probe', PROBE_ID, correlationId, sendByMs),
  };
}
