/** Which records of the ledger's stream are events, and the CloudEvent that a pipe makes of each. */
import { EVENT_SOURCE, EVENTS, type EventName } from '../../shared/order-events.ts';

const NEW_IMAGE = '$.dynamodb.NewImage.event.M';

/**
 * By the state machines of shared/ledger.ts and verdict.ts. An order becomes CREATED once, and always from another state:
 * a claim inserts its item. A later write to a created order, such as `confirmed`, finds it CREATED, and is no event. A
 * message may be given up by its first attempt, which inserts the verdict, or after a PROVISIONAL or WITHDRAWN one.
 */
export const EVENT_FILTERS: Readonly<Record<EventName, readonly object[]>> = {
  'PurchaseOrder.Created.v1': [
    {
      eventName: ['MODIFY'],
      dynamodb: {
        NewImage: { sk: { S: [{ prefix: 'ORDER#' }] }, state: { S: ['CREATED'] } },
        OldImage: { state: { S: [{ 'anything-but': ['CREATED'] }] } },
      },
    },
  ],
  'ShoppingCart.DeadLettered.v1': [
    {
      eventName: ['INSERT'],
      dynamodb: { NewImage: { sk: { S: [{ prefix: 'VERDICT#' }] }, state: { S: ['FINAL'] } } },
    },
    {
      eventName: ['MODIFY'],
      dynamodb: {
        NewImage: { sk: { S: [{ prefix: 'VERDICT#' }] }, state: { S: ['FINAL'] } },
        OldImage: { state: { S: [{ 'anything-but': ['FINAL'] }] } },
      },
    },
  ],
};

export interface EventOrigin {
  readonly typePrefix: string;
  /** The name of the environment. */
  readonly environment: string;
}

export const eventType = (name: EventName, { typePrefix }: Pick<EventOrigin, 'typePrefix'>): string =>
  `${typePrefix}.${EVENTS[name].type}`;

/**
 * The input template of the pipe. Each path that stands in it is in every record that passes the filter: what EventBridge
 * makes of one that is missing, no document says.
 */
export function eventTemplate(name: EventName, origin: EventOrigin): string {
  const { data, id, subject, time } = EVENTS[name];
  const isList = (member: string): boolean => member === 'codes';
  const valueOf = (member: string): string => `<${NEW_IMAGE}.${member}.${isList(member) ? 'SS' : 'S'}>`;
  const event = {
    specversion: '1.0',
    id: valueOf(id),
    source: `/${EVENT_SOURCE}/${origin.environment}`,
    type: eventType(name, origin),
    subject: valueOf(subject),
    time: valueOf(time),
    datacontenttype: 'application/json',
    data: Object.fromEntries(Object.keys(data.shape).map((member) => [member, valueOf(member)])),
  };
  // The guide: quotes around variables, but not around those that refer to objects or arrays ("Input transformation").
  return JSON.stringify(event).replaceAll(/"(<\$[^"]+\.SS>)"/g, '$1');
}
