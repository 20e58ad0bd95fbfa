/** The events that leave the interface as AsyncAPI 3.0, from the schemas by which they are tested. */
import type * as z from 'zod';
import { namesOf } from '../../shared/names-of.ts';
import { cloudEvent, EVENT_SOURCE, EVENTS, type EventName } from '../../shared/order-events.ts';
import { eventType } from '../platforms/event-templates.ts';
import { type Json, type JsonObject, toJson } from './json-text.ts';
import { INTERFACE_ID, jsonSchemaOf } from './openapi.ts';

const PREFIX = 'acme.procurement';
const AT = '2026-11-20T14:40:00.000Z';

const DATA: Readonly<Record<EventName, JsonObject>> = {
  'PurchaseOrder.Created.v1': {
    externalId: 'SRM7-100-1070000008-100234-EUR-BE10',
    orderId: 'po_01JD3W9C4S',
    orderNumber: 'PO-2026-000123',
    sapClient: '100',
    cartNumber: '1070000008',
    createdAt: AT,
  },
  'ShoppingCart.DeadLettered.v1': {
    messageId: '4e3f0b6a-2d7c-4f1e-9a55-0c1d2e3f4a5b',
    cart: '100/1070000008',
    sapClient: '100',
    cartNumber: '1070000008',
    codes: ['E_MAP_UOM'],
    owner: 'mapping owner',
    recordedAt: AT,
  },
};

export function eventsAsyncApi(): JsonObject {
  const names = namesOf(EVENTS);
  const byName = (valueOf: (name: EventName) => Json): JsonObject =>
    Object.fromEntries(names.map((name) => [name, valueOf(name)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: `Events of ${INTERFACE_ID}`,
      version: '1',
      description:
        'CloudEvents 1.0 in structured mode. Each is delivered at least once, in no order: two with the same source and id are ' +
        'one. They hold identifiers, codes and times, and no text of a cart. A member that is added later keeps the version; any other ' +
        'change gets a new one.',
    },
    defaultContentType: 'application/cloudevents+json',
    channels: {
      events: {
        address: null,
        description:
          'The address is that of the subscriber: a webhook, or a topic of SAP Event Mesh (`events.subscribers`). On the event ' +
          `bus of the interface, the CloudEvent is the \`detail\`, \`source\` is \`${EVENT_SOURCE}\`, and \`detail-type\` the name of the message.`,
        messages: byName((name) => ({ $ref: `#/components/messages/${name}` })),
      },
    },
    operations: {
      sendEvents: {
        action: 'send',
        channel: { $ref: '#/channels/events' },
        summary: 'The interface posts each event to each subscriber.',
      },
    },
    components: {
      messages: byName((name) => ({
        name,
        summary: EVENTS[name].meaning,
        contentType: 'application/cloudevents+json',
        payload: payloadOf(name),
        examples: [{ payload: sampleEvent(name) }],
      })),
    },
  };
}

function payloadOf(name: EventName): JsonObject {
  const { data, id, subject } = EVENTS[name];
  const meanings: Readonly<Record<string, string>> = {
    id: `The same for each repetition: \`data.${id}\`.`,
    source: `\`/${EVENT_SOURCE}/<environment>\``,
    type: `\`${eventType(name, { typePrefix: '<typePrefix of the environment>' })}\``,
    subject: `\`data.${subject}\``,
  };
  const { properties, ...rest } = openSchemaOf(cloudEvent<z.ZodType>(data));
  const described = Object.entries({ ...Object(properties), data: openSchemaOf(data) }).map(([member, own]) => [
    member,
    meanings[member] === undefined ? own : { ...Object(own), description: meanings[member] },
  ]);
  return { ...rest, properties: toJson(Object.fromEntries(described)) };
}

/** For a subscriber, which must take a member that is added later; our own tests take no other member. */
function openSchemaOf(schema: z.ZodType): JsonObject {
  const { additionalProperties: _, ...open } = jsonSchemaOf(schema);
  return open;
}

function sampleEvent(name: EventName): JsonObject {
  const { id, subject } = EVENTS[name];
  const data = DATA[name];
  return {
    specversion: '1.0',
    id: data[id] ?? null,
    source: `/${EVENT_SOURCE}/prod`,
    type: eventType(name, { typePrefix: PREFIX }),
    subject: data[subject] ?? null,
    time: AT,
    datacontenttype: 'application/json',
    data,
  };
}
