/**
 * Every row of mapping.csv that the translation decides (65 and 66 are headers of the call): what comes of a change to
 * the sample cart.
 */
import { describe, expect, test } from '@jest/globals';
import { orderRules } from '../../../functions/create-purchase-orders/translation/order-rules.ts';
import { rowsOf, spreadsheetOf } from '../../../functions/create-purchase-orders/translation/rule-table.ts';
import type { FaultCode, WarningCode } from '../../../shared/failure.ts';
import {
  accounting,
  cartOf,
  cartWith,
  date,
  faultsOf,
  instant,
  itemWith,
  labour,
  limit,
  list,
  material,
  ordersOf,
  pathExists,
  type Row,
  sampleCart,
  service,
  type SettingsChange,
  shares,
  shipTo,
  texts,
  translate,
  valueAt,
  warningsOf,
} from './sample-carts.ts';

/** Where a fault or warning lies; its field is the case's target unless it says another. */
interface Expected<Code = FaultCode> {
  readonly code: Code;
  readonly path: string;
  readonly field?: string;
  readonly value?: string;
}

interface Case {
  readonly row: number;
  readonly target: string;
  readonly when: string;
  readonly cart: Row;
  readonly settings?: SettingsChange;
  /** The value at the target of the first order; undefined is an omission. Without it, the cart gives no order. */
  readonly value?: unknown;
  readonly warnings?: readonly Expected<WarningCode>[];
  readonly faults?: readonly Expected[];
}

type Change = Pick<Case, 'settings' | 'warnings'>;

const made = (row: number, target: string, when: string, cart: Row, value: unknown, more: Change = {}): Case => ({
  row,
  target,
  when,
  cart,
  value,
  ...more,
});
const omitted = (row: number, target: string, when: string, cart: Row, more: Change = {}): Case =>
  made(row, target, when, cart, undefined, more);
const refused = (
  row: number,
  target: string,
  when: string,
  cart: Row,
  faults: readonly Expected[],
  settings: SettingsChange = {},
): Case => ({ row, target, when, cart, faults, settings });

const item = (index: number, name: string): string => `$.Items.results[${index}].${name}`;
const share = (index: number, name: string): string => item(0, `Accounting.results[${index}].${name}`);
const LONG = (length: number): string => 'L'.repeat(length);
const CUT = '[...]';

const identification: readonly Case[] = [
  made(1, 'externalSystem', 'constant', sampleCart, 'SRM7'),

  made(2, 'externalId', 'all parts', sampleCart, 'SRM7-100-1000004711-100234-EUR-BE10'),
  made(2, 'externalId', 'zeros lead', cartWith({ ObjectId: '0000004711' }), 'SRM7-100-4711-100234-EUR-BE10'),
  made(
    2,
    'externalId',
    'letters keep their zeros',
    cartWith({ ObjectId: '00A4711' }),
    'SRM7-100-00A4711-100234-EUR-BE10',
  ),
  made(
    2,
    'externalId',
    'a second supplier does not rename the first order',
    itemWith(2, { VendorId: '0000100301' }),
    'SRM7-100-1000004711-100234-EUR-BE10',
  ),
  refused(2, 'externalId', 'the cart has no number', cartWith({ ObjectId: '' }), [
    { code: 'E_FIELD_MISSING', path: '$.ObjectId', field: 'sourceDocument.number' },
  ]),
  refused(2, 'externalId', 'too long, as its parts are', cartOf([labour({ VendorId: `1${LONG(59)}` })]), [
    // Of what has not the form of a code, no more is told than what it is.
    { code: 'E_FIELD_LENGTH', path: '$.ObjectId', value: '1000004711' },
    {
      code: 'E_FIELD_LENGTH',
      path: item(0, 'VendorId'),
      field: 'supplier.code',
      value: '[text without blanks, 60 characters]',
    },
    {
      code: 'E_FIELD_LENGTH',
      path: item(0, 'VendorId'),
      field: 'supplier.externalCode',
      value: '[text without blanks, 60 characters]',
    },
  ]),

  made(3, 'externalRevision', 'V1 only creates', sampleCart, 1),

  made(
    4,
    'sourceDocument.guid',
    'dashes and capitals',
    cartWith({ Guid: '005056A5-09B3-1EE1-BEE5-8CE5A1C90DB0' }),
    '005056a509b31ee1bee58ce5a1c90db0',
  ),
  made(
    4,
    'sourceDocument.guid',
    'base64 of 16 bytes',
    cartWith({ Guid: 'AFBWpQmzHuG+5YzlockNsA==' }),
    '005056a509b31ee1bee58ce5a1c90db0',
  ),
  made(
    4,
    'sourceDocument.guid',
    'blanks around',
    cartWith({ Guid: ' 005056a509b31ee1bee58ce5a1c90db0 ' }),
    '005056a509b31ee1bee58ce5a1c90db0',
  ),
  refused(4, 'sourceDocument.guid', 'no GUID', cartWith({ Guid: 'G'.repeat(50) }), [
    { code: 'E_FIELD_FORMAT', path: '$.Guid', value: '[word, 50 characters]' },
  ]),

  made(5, 'sourceDocument.number', 'zeros lead', cartWith({ ObjectId: '0000004711' }), '4711'),
  refused(5, 'sourceDocument.number', 'null', cartWith({ ObjectId: null }), [
    { code: 'E_FIELD_MISSING', path: '$.ObjectId' },
  ]),

  made(5, 'sourceDocument.number', 'a prefix', cartWith({ ObjectId: 'ORDER00012' }), 'ORDER00012'),
  made(5, 'sourceDocument.number', 'a JSON number', cartWith({ ObjectId: 4711 }), '4711'),
  refused(5, 'sourceDocument.number', 'zeros alone', cartWith({ ObjectId: '0000000000' }), [
    { code: 'E_FIELD_MISSING', path: '$.ObjectId', value: '0000000000' },
  ]),
  refused(5, 'sourceDocument.number', 'a blank inside', cartWith({ ObjectId: '10000 4711' }), [
    { code: 'E_FIELD_FORMAT', path: '$.ObjectId', value: '[text with blanks, 10 characters]' },
  ]),
  refused(5, 'sourceDocument.number', 'a name', cartWith({ ObjectId: 'jan.peeters@example.test' }), [
    { code: 'E_FIELD_FORMAT', path: '$.ObjectId', value: '[e-mail address, 24 characters]' },
  ]),

  made(6, 'sourceDocument.approvedAt', 'RFC 3339 UTC', sampleCart, '2026-11-20T14:32:05Z'),
  made(
    6,
    'sourceDocument.approvedAt',
    'milliseconds dropped',
    cartWith({ ApprovedAt: '/Date(1795185125999)/' }),
    '2026-11-20T14:32:05Z',
  ),
  made(
    6,
    'sourceDocument.approvedAt',
    'absent: the last change',
    cartWith({ ApprovedAt: null }),
    '2026-11-20T14:32:06Z',
    {
      warnings: [{ code: 'W_APPROVAL_TIME_MISSING', path: '$.ApprovedAt' }],
    },
  ),
  refused(6, 'sourceDocument.approvedAt', 'unreadable', cartWith({ ApprovedAt: 'yesterday' }), [
    { code: 'E_DATE_INVALID', path: '$.ApprovedAt', value: '[word, 9 characters]' },
  ]),

  made(7, 'sourceDocument.approvedBy', 'trimmed', cartWith({ ApprovedBy: ' MMARTIN ' }), 'MMARTIN'),
  made(7, 'sourceDocument.approvedBy', 'a system user stays', cartWith({ ApprovedBy: 'WF-BATCH' }), 'WF-BATCH'),
  omitted(7, 'sourceDocument.approvedBy', 'blank', cartWith({ ApprovedBy: ' ' })),
  refused(
    7,
    'sourceDocument.approvedBy',
    'too long: reported without the name',
    cartWith({ ApprovedBy: 'MANONMARTIN13' }),
    [
      { code: 'E_FIELD_LENGTH', path: '$.ApprovedBy' },
      { code: 'E_FIELD_LENGTH', path: '$.ApprovedBy', field: 'approver.externalId' },
    ],
  ),

  made(8, 'sourceDocument.changedAt', 'RFC 3339 UTC', sampleCart, '2026-11-20T14:32:06Z'),
  made(
    8,
    'sourceDocument.changedAt',
    'an offset is subtracted, with a warning',
    cartWith({ ChangedAt: '/Date(1795185126000+0060)/' }),
    '2026-11-20T13:32:06Z',
    {
      warnings: [{ code: 'W_DATE_OFFSET', path: '$.ChangedAt', field: '-' }],
    },
  ),
  made(8, 'sourceDocument.changedAt', 'before 1970', cartWith({ ChangedAt: '/Date(-1000)/' }), '1969-12-31T23:59:59Z'),
  refused(8, 'sourceDocument.changedAt', 'absent', cartWith({ ChangedAt: '' }), [
    { code: 'E_DATE_INVALID', path: '$.ChangedAt' },
  ]),
  refused(
    8,
    'sourceDocument.changedAt',
    'unreadable, and no approval to take its place',
    cartWith({ ChangedAt: 'X', ApprovedAt: '' }),
    [{ code: 'E_DATE_INVALID', path: '$.ChangedAt', value: 'X' }],
  ),

  made(9, 'purchaseRequestId', 'one value', sampleCart, 'PR-2026-000873'),
  made(9, 'purchaseRequestId', 'one value, not on every line', itemWith(1, { ExtDemid: '' }), 'PR-2026-000873'),
  made(
    9,
    'purchaseRequestId',
    'one value, with and without its zeros',
    cartWith({}, { 0: { ExtDemid: '0000873' }, 1: { ExtDemid: '873' }, 2: { ExtDemid: '0000873' } }),
    '0000873',
  ),
  omitted(9, 'purchaseRequestId', 'several values', itemWith(1, { ExtDemid: 'PR-2' }), {
    warnings: [{ code: 'W_EXTREF_LEFT_OUT', path: item(0, 'ExtDemid') }],
  }),
  omitted(9, 'purchaseRequestId', 'several values satisfy the configuration', itemWith(1, { ExtDemid: 'PR-2' }), {
    settings: { purchaseRequestMandatory: true },
    warnings: [{ code: 'W_EXTREF_LEFT_OUT', path: item(0, 'ExtDemid') }],
  }),
  omitted(9, 'purchaseRequestId', 'none, and optional', cartOf([material({ ExtDemid: '' })], { Partners: shipTo({}) })),
  refused(
    9,
    'purchaseRequestId',
    'none, and configured mandatory',
    cartOf([material({ ExtDemid: '' })], { Partners: shipTo({}) }),
    [{ code: 'E_EXTREF_MISSING', path: item(0, 'ExtDemid') }],
    { purchaseRequestMandatory: true },
  ),

  omitted(10, 'erpPurchaseOrderNumber', 'none', sampleCart),
  omitted(10, 'erpPurchaseOrderNumber', 'zeros alone', itemWith(1, { BeObjectId: '0000000000' })),
  made(
    10,
    'erpPurchaseOrderNumber',
    'one value, zeros dropped',
    itemWith(1, { BeObjectId: '00004500012345' }),
    '4500012345',
  ),
  made(
    10,
    'erpPurchaseOrderNumber',
    'one value, with and without its zeros',
    cartWith({}, { 1: { BeObjectId: '4500012345' }, 2: { BeObjectId: '00004500012345' } }),
    '4500012345',
  ),
  omitted(
    10,
    'erpPurchaseOrderNumber',
    'several values',
    cartWith({}, { 1: { BeObjectId: '4500000001' }, 2: { BeObjectId: '4500000002' } }),
    {
      warnings: [{ code: 'W_FOLLOW_ON_LEFT_OUT', path: item(1, 'BeObjectId') }],
    },
  ),

  made(11, 'title', 'trimmed', cartWith({ Description: ' Title ' }), 'Title'),
  made(11, 'title', 'empty', cartWith({ Description: '' }), 'Shopping cart 1000004711'),
  refused(11, 'title', 'empty, and no number to take its place', cartWith({ Description: '', ObjectId: '' }), [
    { code: 'E_FIELD_MISSING', path: '$.ObjectId', field: 'sourceDocument.number' },
  ]),
  made(11, 'title', 'too long', cartWith({ Description: LONG(121) }), LONG(115) + CUT, {
    warnings: [{ code: 'W_TEXT_CUT', path: '$.Description' }],
  }),

  made(12, 'orderDate', 'the day of approval', sampleCart, '2026-11-20'),
  made(
    12,
    'orderDate',
    'in Brussels it is tomorrow',
    cartWith({ ApprovedAt: instant('2026-11-20T23:30:00Z') }),
    '2026-11-21',
  ),
  made(
    12,
    'orderDate',
    'in summer Brussels is two hours ahead (edge case 4)',
    cartWith({ ApprovedAt: instant('2026-07-20T22:30:00Z') }),
    '2026-07-21',
  ),
  made(
    12,
    'orderDate',
    'in winter Brussels is one hour ahead (edge case 4)',
    cartWith({ ApprovedAt: instant('2026-11-20T22:30:00Z') }),
    '2026-11-20',
  ),
  made(
    12,
    'orderDate',
    'in New York it is still yesterday',
    cartWith({ ApprovedAt: instant('2026-11-20T03:00:00Z') }),
    '2026-11-19',
    {
      settings: { timeZone: 'America/New_York' },
    },
  ),
  made(
    12,
    'orderDate',
    'not approved by anyone: the posting date',
    cartWith({ ApprovedAt: null, PostingDate: date('2026-11-18') }),
    '2026-11-18',
    {
      warnings: [{ code: 'W_APPROVAL_TIME_MISSING', path: '$.ApprovedAt', field: 'sourceDocument.approvedAt' }],
    },
  ),
  ...([null, '00000000'] as const).map((PostingDate) =>
    refused(
      12,
      'orderDate',
      `neither approval nor a posting date: ${PostingDate}`,
      cartWith({ ApprovedAt: null, PostingDate }),
      [{ code: 'E_DATE_INVALID', path: '$.PostingDate', ...(PostingDate === null ? {} : { value: PostingDate }) }],
    ),
  ),
  refused(
    12,
    'orderDate',
    'the posting date is the open end',
    cartWith({ ApprovedAt: null, PostingDate: date('9999-12-31') }),
    [{ code: 'E_DATE_INVALID', path: '$.PostingDate', value: date('9999-12-31') }],
  ),
  refused(12, 'orderDate', 'the posting date is unreadable', cartWith({ ApprovedAt: '', PostingDate: '18.11.2026' }), [
    { code: 'E_DATE_INVALID', path: '$.PostingDate', value: '18.11.2026' },
  ]),

  made(13, 'currency', 'upper-case', cartWith({}, { 0: { Currency: 'eur' }, 1: { Currency: 'Eur' } }), 'EUR'),
  made(13, 'currency', 'the line has none: the header', itemWith(0, { Currency: '' }), 'EUR'),
  refused(13, 'currency', 'unknown', cartOf([labour({ Currency: 'DEM' })]), [
    { code: 'E_MAP_CURRENCY', path: item(0, 'Currency'), value: 'DEM' },
  ]),
  refused(13, 'currency', 'unknown in the header', cartOf([labour({ Currency: '' })], { Currency: 'EUR5' }), [
    { code: 'E_MAP_CURRENCY', path: '$.Currency', value: 'EUR5' },
  ]),
  refused(13, 'currency', 'none at all', cartOf([labour({ Currency: '' })], { Currency: '' }), [
    { code: 'E_MAP_CURRENCY', path: item(0, 'Currency') },
  ]),
  refused(
    13,
    'currency',
    'known to ISO, and not to the value map in force',
    sampleCart,
    [{ code: 'E_MAP_CURRENCY', path: item(0, 'Currency'), value: 'EUR' }],
    { valueMaps: { currencyDecimals: { USD: 2 } } },
  ),
];

const parties: readonly Case[] = [
  made(14, 'businessUnit.code', 'by company code', sampleCart, 'BU-BE-BRU'),
  made(14, 'businessUnit.code', 'by company code and purchasing organization', sampleCart, 'BU-LAB', {
    settings: { valueMaps: { businessUnit: { BE10: 'BU-BE-BRU', 'BE10/50000123': 'BU-LAB' } } },
  }),
  made(14, 'businessUnit.code', 'no purchasing organization', cartWith({ ProcOrg: '' }), 'BU-BE-BRU', {
    settings: { valueMaps: { businessUnit: { BE10: 'BU-BE-BRU', 'BE10/50000123': 'BU-LAB' } } },
  }),
  refused(14, 'businessUnit.code', 'not in the map', cartWith({ CoCode: 'ZZ99' }), [
    { code: 'E_MAP_COMPANY', path: '$.CoCode', value: 'ZZ99' },
  ]),
  refused(14, 'businessUnit.code', 'a name that every object has', cartWith({ CoCode: 'toString' }), [
    { code: 'E_MAP_COMPANY', path: '$.CoCode', value: '[word, 8 characters]' },
    ...[0, 1, 2, 3].map(
      (index): Expected => ({
        code: 'E_FIELD_LENGTH',
        path: '$.CoCode',
        field:
          ['lines[0].accounting[0]', 'lines[0].accounting[1]', 'lines[1].accounting[0]', 'lines[2].accounting[0]'][
            index
          ] + '.companyCode',
        value: '[word, 8 characters]',
      }),
    ),
  ]),

  made(15, 'legalEntity.code', 'copied', sampleCart, 'BE10'),
  refused(15, 'legalEntity.code', 'blank', cartWith({ CoCode: ' ' }), [
    { code: 'E_FIELD_MISSING', path: '$.CoCode', value: ' ' },
  ]),

  made(16, 'purchasingOrganization', 'the HR prefix is dropped', cartWith({ ProcOrg: 'O  50000123' }), '50000123'),
  made(16, 'purchasingOrganization', 'no prefix', cartWith({ ProcOrg: 'ORG1' }), 'ORG1'),
  omitted(16, 'purchasingOrganization', 'empty', cartWith({ ProcOrg: '' })),
  made(17, 'purchasingGroup', 'the HR prefix is dropped', sampleCart, '50000456'),
  omitted(17, 'purchasingGroup', 'empty', cartWith({ ProcGroup: null })),

  made(18, 'supplier.code', 'from the map', sampleCart, 'SUP-00871'),
  made(
    18,
    'supplier.code',
    'identity: a code that is not listed passes',
    cartOf([labour({ VendorId: '0000100301' })]),
    '100301',
  ),
  refused(
    18,
    'supplier.code',
    'mapped: a code that is not listed is refused',
    cartOf([labour({ VendorId: '0000100301' })]),
    [{ code: 'E_MAP_SUPPLIER', path: item(0, 'VendorId'), value: '0000100301' }],
    { valueMaps: { supplier: { mode: 'mapped', codes: { '100234': 'SUP-00871' } } } },
  ),
  refused(18, 'supplier.code', 'zeros alone', cartOf([labour({ VendorId: '0000000000' })]), [
    { code: 'E_SUPPLIER_MISSING', path: item(0, 'VendorId'), value: '0000000000' },
  ]),
  refused(18, 'supplier.code', 'no source of supply', cartOf([labour({ VendorId: '' })]), [
    { code: 'E_SUPPLIER_MISSING', path: item(0, 'VendorId') },
  ]),

  made(19, 'supplier.externalCode', 'zeros dropped', sampleCart, '100234'),
  made(19, 'supplier.externalCode', 'letters keep their zeros', cartOf([labour({ VendorId: '00V234' })]), '00V234'),
  refused(19, 'supplier.externalCode', 'too long', cartOf([labour({ VendorId: '12345678901' })]), [
    { code: 'E_FIELD_LENGTH', path: item(0, 'VendorId'), value: '12345678901' },
  ]),
  made(19, 'supplier.externalCode', 'a prefix stays', cartOf([labour({ VendorId: 'VENDOR-01' })]), 'VENDOR-01'),
  refused(19, 'supplier.externalCode', 'a word', cartOf([labour({ VendorId: 'DUPONT' })]), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'VendorId'), value: '[word, 6 characters]' },
  ]),
  refused(19, 'supplier.externalCode', 'a name', cartOf([labour({ VendorId: 'J. Li' })]), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'VendorId'), value: '[text with blanks, 5 characters]' },
  ]),

  made(20, 'supplier.name', 'trimmed', itemWith(0, { VendorName: ' Nordlys ' }), 'Nordlys'),
  made(20, 'supplier.name', 'the first that is there', itemWith(0, { VendorName: '' }), 'Nordlys Conseil SA'),
  made(20, 'supplier.name', 'too long', cartOf([labour({ VendorName: LONG(121) })]), LONG(115) + CUT, {
    warnings: [{ code: 'W_TEXT_CUT', path: item(0, 'VendorName') }],
  }),
  omitted(20, 'supplier.name', 'empty', cartOf([labour({ VendorName: '' })])),

  made(21, 'requester.externalId', 'upper-case', cartWith({ RequesterId: 'jdupont' }), 'JDUPONT'),
  made(
    21,
    'requester.externalId',
    'empty: who created it',
    cartWith({ RequesterId: '', CreatedBy: 'mmartin' }),
    'MMARTIN',
  ),
  omitted(21, 'requester.externalId', 'an e-mail alone is enough', cartWith({ RequesterId: '', CreatedBy: '' })),
  refused(
    21,
    'requester.externalId',
    'no requester',
    cartWith({ RequesterId: '', CreatedBy: '', RequesterEmail: '' }),
    [{ code: 'E_REQUESTER_MISSING', path: '$.RequesterId' }],
  ),
  refused(
    21,
    'requester.externalId',
    'no requester, and no address either',
    cartWith({ RequesterId: '', CreatedBy: '', RequesterEmail: 'j.dupont' }),
    [{ code: 'E_REQUESTER_MISSING', path: '$.RequesterId' }],
  ),
  refused(
    21,
    'requester.externalId',
    'too long: reported without the name',
    cartWith({ RequesterId: 'JEANNEDUPONT2' }),
    [{ code: 'E_FIELD_LENGTH', path: '$.RequesterId' }],
  ),
  refused(
    21,
    'requester.externalId',
    'who created it has too long a name',
    cartWith({ RequesterId: '', CreatedBy: 'JEANNEDUPONT2' }),
    [{ code: 'E_FIELD_LENGTH', path: '$.CreatedBy' }],
  ),

  made(
    22,
    'requester.email',
    'lower-case',
    cartWith({ RequesterEmail: 'J.Dupont@Example.TEST' }),
    'j.dupont@example.test',
  ),
  omitted(22, 'requester.email', 'empty', cartWith({ RequesterEmail: '' })),
  ...[
    'j.dupont',
    'j dupont@example.test',
    '<j@example.test>',
    'j@example',
    'a@b@example.test',
    `${LONG(250)}@x.be`,
  ].map((RequesterEmail) =>
    omitted(22, 'requester.email', `no address: ${RequesterEmail.slice(0, 30)}`, cartWith({ RequesterEmail }), {
      warnings: [{ code: 'W_EMAIL_LEFT_OUT', path: '$.RequesterEmail' }],
    }),
  ),

  made(23, 'requester.name', 'trimmed', cartWith({ RequesterName: ' Jean\u00a0Dupont ' }), 'Jean Dupont'),
  made(23, 'requester.name', 'too long', cartWith({ RequesterName: LONG(81) }), LONG(75) + CUT, {
    warnings: [{ code: 'W_TEXT_CUT', path: '$.RequesterName' }],
  }),
  omitted(23, 'requester.name', 'empty', cartWith({ RequesterName: '' })),

  made(
    24,
    'approver',
    'as the requester',
    cartWith({ ApprovedBy: 'mmartin', ApproverEmail: 'M.Martin@example.test' }),
    {
      externalId: 'MMARTIN',
      email: 'm.martin@example.test',
    },
  ),
  ...['WF-BATCH', 'wf-batch', 'SAPSYS', 'DDIC'].map((ApprovedBy) =>
    omitted(24, 'approver', `a system user: ${ApprovedBy}`, cartWith({ ApprovedBy })),
  ),
  made(
    24,
    'approver',
    'not an address',
    cartWith({ ApproverEmail: 'm.martin' }),
    { externalId: 'MMARTIN' },
    {
      warnings: [{ code: 'W_EMAIL_LEFT_OUT', path: '$.ApproverEmail', field: 'approver.email' }],
    },
  ),
];

const period = (StartDate: unknown, EndDate: unknown): Row => ({ StartDate, EndDate });

const terms: readonly Case[] = [
  made(
    25,
    'validity.startDate',
    'the earliest',
    itemWith(2, period(date('2026-12-24'), date('2027-01-31'))),
    '2026-12-24',
  ),
  omitted(25, 'validity', 'no labour, no period', cartOf([material()], { Partners: shipTo({}) })),
  omitted(
    25,
    'validity',
    'a service with a delivery date',
    cartOf([service({ ...period(null, null), DelivDate: date('2026-12-15') })]),
  ),
  refused(
    25,
    'validity.startDate',
    'labour without a period',
    cartOf([labour({ ...period(null, null), DelivDate: date('2026-12-15') })]),
    [{ code: 'E_DATE_RANGE', path: item(0, 'StartDate') }],
  ),
  made(
    25,
    'validity.startDate',
    'labour without a period, beside a line with one',
    itemWith(0, { ...period(null, null), DelivDate: date('2026-12-15') }),
    '2027-01-04',
  ),

  made(26, 'validity.endDate', 'the latest', itemWith(2, { EndDate: date('2027-06-30') }), '2027-06-30'),
  omitted(26, 'validity.endDate', 'any line is open: 9999-12-31', itemWith(2, { EndDate: date('9999-12-31') })),
  omitted(26, 'validity.endDate', 'any line is open: no end', itemWith(0, { EndDate: null })),

  made(27, 'paymentTerms', 'copied', sampleCart, 'Z045'),
  omitted(27, 'paymentTerms', 'empty', cartWith({ PmntTrms: '' })),

  made(28, 'incoterms', 'the same on all lines', cartOf([material()], { Partners: shipTo({}) }), {
    code: 'DAP',
    location: 'Brussels',
  }),
  made(
    28,
    'incoterms',
    'the same, at different places',
    cartOf([material(), material({ NumberInt: '7', IncotermLoc: 'Anvers' })], { Partners: shipTo({}) }),
    { code: 'DAP' },
  ),
  omitted(28, 'incoterms', 'on one line of three', sampleCart),
  omitted(28, 'incoterms', 'a place without a code', cartOf([material({ IncotermKey: '' })], { Partners: shipTo({}) })),

  made(
    29,
    'deliveryAddress',
    'of the header, in full',
    cartWith({ Partners: shipTo({ Region: '07', Country: 'DE' }) }),
    {
      name: 'Brussels campus, building B',
      street: 'Rue du Canal',
      houseNumber: '12',
      postalCode: '1000',
      city: 'Brussels',
      region: '07',
      country: 'DE',
    },
  ),
  made(29, 'deliveryAddress.city', 'the one that the lines share', sampleCart, 'Brussels'),
  made(29, 'deliveryAddress.country', 'UK is GB', cartWith({ Partners: shipTo({ Country: 'UK' }) }), 'GB'),
  made(
    29,
    'deliveryAddress.country',
    'EL is GR, in lower case too',
    cartWith({ Partners: shipTo({ Country: 'el' }) }),
    'GR',
  ),
  made(
    29,
    'deliveryAddress',
    'nothing but a country',
    cartWith({ Partners: list({ PartnerFct: '27', Country: 'BE' }) }),
    { country: 'BE' },
  ),
  made(29, 'deliveryAddress.name', 'too long', cartWith({ Partners: shipTo({ Name: LONG(81) }) }), LONG(75) + CUT, {
    warnings: [{ code: 'W_TEXT_CUT', path: '$.Partners.results[0].Name' }],
  }),
  omitted(
    29,
    'deliveryAddress',
    'the lines go to different places',
    cartOf([material({ Partners: shipTo({}) }), material({ NumberInt: '7', Partners: shipTo({ City: 'Namur' }) })]),
  ),
  made(
    55,
    'lines[0].deliverTo.city',
    'a service without an address does not share it',
    cartOf([material({ Partners: shipTo({ City: 'Gent' }) }), service({ NumberInt: '7', Partners: list() })]),
    'Gent',
  ),
  made(
    55,
    'lines[0].deliverTo.city',
    'of services alone',
    cartOf([service({ Partners: shipTo({ City: 'Gent' }) }), service({ NumberInt: '7', Partners: list() })]),
    'Gent',
  ),
  refused(
    29,
    'deliveryAddress',
    'a material without an address does not share that of another',
    cartOf([
      material({ Partners: shipTo({ City: 'Gent' }) }),
      material({ NumberInt: '7', Partners: list() }),
      labour({ NumberInt: '8', Partners: shipTo({ City: 'Gent' }) }),
    ]),
    [{ code: 'E_ADDRESS_MISSING', path: item(1, 'Partners') }],
  ),
  made(
    29,
    'deliveryAddress.city',
    'all lines have it',
    cartOf([
      material({ Partners: shipTo({ City: 'Gent' }) }),
      service({ NumberInt: '7', Partners: shipTo({ City: 'Gent' }) }),
    ]),
    'Gent',
  ),
  made(
    29,
    'deliveryAddress.city',
    'no material has one: the site of the services',
    cartOf([material(), service({ NumberInt: '7', Partners: shipTo({ City: 'Gent' }) }), limit({ Partners: list() })]),
    'Gent',
  ),
  refused(
    29,
    'deliveryAddress',
    'no material has one, and the services have several sites',
    cartOf([
      material(),
      service({ NumberInt: '7', Partners: shipTo({ City: 'Gent' }) }),
      service({ NumberInt: '8', Partners: shipTo({ City: 'Namur' }) }),
    ]),
    [{ code: 'E_ADDRESS_MISSING', path: item(0, 'Partners') }],
  ),
  omitted(29, 'deliveryAddress', 'none, and no material', cartOf([service({ Partners: list() })])),
  refused(29, 'deliveryAddress', 'none, with material', cartOf([material()]), [
    { code: 'E_ADDRESS_MISSING', path: item(0, 'Partners') },
  ]),
  refused(29, 'deliveryAddress.country', 'unknown', cartWith({ Partners: shipTo({ Country: 'BEL' }) }), [
    { code: 'E_MAP_COUNTRY', path: '$.Partners.results[0].Country', value: 'BEL' },
  ]),
  refused(
    29,
    'deliveryAddress.country',
    'empty, on the second partner',
    cartWith({ Partners: shipTo({ PartnerFct: '00000016' }, { Country: '' }) }),
    [{ code: 'E_MAP_COUNTRY', path: '$.Partners.results[1].Country' }],
  ),
  refused(
    29,
    'deliveryAddress.street',
    'too long: reported without the street',
    cartWith({ Partners: shipTo({ Street: LONG(61) }) }),
    [{ code: 'E_FIELD_LENGTH', path: '$.Partners.results[0].Street' }],
  ),

  made(30, 'totals.netAmount', 'the sum of the lines', sampleCart, '41031.25'),
  refused(
    30,
    'totals.netAmount',
    'more than 11VMS can hold',
    cartOf(
      [9, 8].map((number) => limit({ NumberInt: String(number), Limit: '9999999999999', ExpValue: '9999999999999' })),
      { TotalValue: '1' },
    ),
    [
      { code: 'E_AMT_TOTAL_MISMATCH', path: '$.TotalValue', value: '1' },
      { code: 'E_FIELD_FORMAT', path: '$', field: 'totals.grossAmount', value: '19999999999998.00' },
    ],
  ),

  made(
    31,
    'totals.netAmount',
    'off by one minor unit a line',
    cartOf([labour(), limit()], { TotalValue: '41000.020' }),
    '41000.00',
  ),
  refused(31, 'totals.netAmount', 'off by more', cartOf([labour(), limit()], { TotalValue: '41000.030' }), [
    { code: 'E_AMT_TOTAL_MISMATCH', path: '$.TotalValue', value: '41000.030' },
  ]),
  refused(31, 'totals.netAmount', 'finer than the currency', cartOf([labour()], { TotalValue: '39000.001' }), [
    { code: 'E_AMT_PRECISION', path: '$.TotalValue', value: '39000.001' },
  ]),
  refused(31, 'totals.netAmount', 'no decimal', cartOf([labour()], { TotalValue: '39,000' }), [
    { code: 'E_FIELD_FORMAT', path: '$.TotalValue', value: '39,000' },
  ]),
  refused(31, 'totals.netAmount', 'no total', cartOf([labour()], { TotalValue: '' }), [
    { code: 'E_FIELD_MISSING', path: '$.TotalValue' },
  ]),
  made(
    31,
    'totals.netAmount',
    'two orders: not compared',
    cartOf([labour(), limit(), limit({ VendorId: '1' })], { TotalValue: '1.000' }),
    '41000.00',
  ),
  made(31, 'totals.netAmount', 'a dropped line: not compared', cartWith({ TotalValue: '1.000' }), '41031.25'),
  made(
    31,
    'totals.netAmount',
    'another currency than the header: not compared',
    cartOf([labour()], { Currency: 'USD', TotalValue: '1.000' }),
    '39000.00',
  ),

  made(
    32,
    'totals.taxAmount',
    'the sum of the lines',
    cartWith({}, { 0: { TaxValue: '8190.000' }, 1: { TaxValue: '6.56' } }),
    '8196.56',
  ),
  made(32, 'totals.taxAmount', 'none', itemWith(0, { TaxValue: null }), '0.00'),
  made(
    32,
    'totals.taxAmount',
    'a tax without a code is no part of the order',
    cartWith({}, { 0: { TaxValue: '8190.000', TaxCode: '' }, 1: { TaxValue: '6.56' } }),
    '6.56',
    { warnings: [{ code: 'W_TAX_LEFT_OUT', path: item(0, 'TaxValue'), field: 'lines[0].tax.amount' }] },
  ),
  made(33, 'totals.grossAmount', 'net and tax', itemWith(0, { TaxValue: '8190.000' }), '49221.25'),
];

const lineHeads: readonly Case[] = [
  made(34, 'lines[1].lineNumber', 'not renumbered', itemWith(1, { NumberInt: '0000000070' }), 70),
  ...(['A1', '', '0000000000', '12345678901', '-1', '1.0'] as const).map((NumberInt) =>
    refused(34, 'lines[1].lineNumber', `no line number: ${NumberInt}`, itemWith(1, { NumberInt }), [
      { code: 'E_FIELD_FORMAT', path: item(1, 'NumberInt'), ...(NumberInt === '' ? {} : { value: NumberInt }) },
    ]),
  ),
  refused(34, 'lines[0].lineNumber', 'twice', itemWith(1, { NumberInt: '1' }), [
    { code: 'E_LINE_DUPLICATE', path: item(0, 'NumberInt'), value: '0000000001' },
    { code: 'E_LINE_DUPLICATE', path: item(1, 'NumberInt'), field: 'lines[1].lineNumber', value: '1' },
  ]),

  made(35, 'lines[0].externalLineId', '32 hex', sampleCart, '005056a509b31ee1bee58ce5a1c91db0'),
  refused(35, 'lines[0].externalLineId', 'no GUID', itemWith(0, { Guid: '4711' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'Guid'), value: '4711' },
  ]),
  refused(35, 'lines[0].externalLineId', 'empty', itemWith(0, { Guid: '' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'Guid') },
  ]),

  made(36, 'lines[0].purchaseRequestLineId', 'zeros dropped', itemWith(0, { ExtDemPosid: '0000000010' }), '10'),
  omitted(36, 'lines[0].purchaseRequestLineId', 'zeros alone', itemWith(0, { ExtDemPosid: '0000000000' })),
  omitted(36, 'lines[0].purchaseRequestLineId', 'empty', itemWith(0, { ExtDemPosid: '' })),

  made(37, 'lines[2].type', 'LimitInd', sampleCart, 'LIMIT'),
  made(37, 'lines[2].type', 'LimitInd goes before the product type', itemWith(2, { ProductType: '' }), 'LIMIT'),
  made(37, 'lines[1].type', '01', sampleCart, 'MATERIAL'),
  ...['HUR', 'DAY', 'WEE', 'MON'].map((unit) =>
    made(37, 'lines[0].type', `02 and ${unit}`, sampleCart, 'LABOUR', {
      settings: { valueMaps: { unit: { TAG: unit, ST: 'EA' } } },
    }),
  ),
  made(37, 'lines[0].type', '02 and any other unit', cartOf([service()]), 'SERVICE'),
  made(37, 'lines[0].type', '02 and a year, which is no time unit of labour', itemWith(0, { Unit: 'JHR' }), 'SERVICE'),
  refused(37, 'lines[0].type', 'unknown', itemWith(0, { ProductType: '03' }), [
    { code: 'E_MAP_LINE_TYPE', path: item(0, 'ProductType'), value: '03' },
  ]),
  refused(37, 'lines[0].type', 'empty', itemWith(0, { ProductType: '' }), [
    { code: 'E_MAP_LINE_TYPE', path: item(0, 'ProductType') },
  ]),

  made(38, 'lines[0].description', 'trimmed', itemWith(0, { Description: '\tEngineer ' }), 'Engineer'),
  made(38, 'lines[0].description', 'too long', itemWith(0, { Description: LONG(256) }), LONG(250) + CUT, {
    warnings: [{ code: 'W_TEXT_CUT', path: item(0, 'Description') }],
  }),
  refused(38, 'lines[0].description', 'blank', itemWith(0, { Description: ' \u00a0' }), [
    { code: 'E_FIELD_MISSING', path: item(0, 'Description') },
  ]),

  made(
    39,
    'lines[0].longText',
    'CRLF is LF',
    sampleCart,
    'Presence on site three days a week.\nDeliverables: see annex.',
  ),
  omitted(
    39,
    'lines[0].longText',
    'other text ids',
    itemWith(0, { Texts: texts({ Tdid: 'ZZZZ', Language: 'EN', Text: 'no' }, { Tdid: 'ITXT', Text: ' ' }) }),
  ),
  made(
    39,
    'lines[0].longText',
    'the language of the document',
    cartWith(
      { DescrLanguage: 'F' },
      { 0: { Texts: texts(...['D', 'E', 'FR', 'F'].map((Language) => ({ Tdid: 'ITXT', Language, Text: Language }))) } },
    ),
    'FR',
  ),
  made(
    39,
    'lines[0].longText',
    'else English',
    cartWith(
      { DescrLanguage: 'I' },
      { 0: { Texts: texts(...['D', 'EN'].map((Language) => ({ Tdid: 'ITXT', Language, Text: Language }))) } },
    ),
    'EN',
  ),
  made(
    39,
    'lines[0].longText',
    'else the first',
    cartWith(
      { DescrLanguage: '' },
      { 0: { Texts: texts({ Tdid: 'ITXT', Text: 'none' }, { Tdid: 'ITXT', Language: 'D', Text: 'D' }) } },
    ),
    'none',
  ),
  made(
    39,
    'lines[0].longText',
    'cut at 4000 code points',
    itemWith(0, { Texts: texts({ Tdid: 'ITXT', Text: '🌱'.repeat(4001) }) }),
    '🌱'.repeat(3995) + CUT,
    {
      warnings: [{ code: 'W_TEXT_CUT', path: item(0, 'Texts') }],
    },
  ),

  made(40, 'lines[0].category', 'identity', sampleCart, { scheme: 'SRM', code: 'SERV-IT-01' }),
  made(40, 'lines[0].category.code', 'from the map', sampleCart, 'IT', {
    settings: { valueMaps: { category: { mode: 'identity', codes: { 'SERV-IT-01': 'IT' } } } },
  }),
  refused(
    40,
    'lines[1].category.code',
    'mapped, and not listed',
    cartOf([labour(), material()]),
    [{ code: 'E_MAP_CATEGORY', path: item(1, 'CategoryId'), value: 'MAT-PPE-03' }],
    { valueMaps: { category: { mode: 'mapped', codes: { 'SERV-IT-01': 'IT' } } } },
  ),
  refused(40, 'lines[0].category.code', 'empty', itemWith(0, { CategoryId: '' }), [
    { code: 'E_MAP_CATEGORY', path: item(0, 'CategoryId') },
  ]),
  refused(40, 'lines[0].category.code', 'too long', itemWith(0, { CategoryId: LONG(21) }), [
    { code: 'E_FIELD_LENGTH', path: item(0, 'CategoryId'), value: '[word, 21 characters]' },
  ]),

  made(41, 'lines[1].productCode', 'zeros dropped', sampleCart, '40077'),
  made(41, 'lines[1].productCode', 'up to 40 characters', itemWith(1, { OrderedProd: LONG(40) }), LONG(40)),
  omitted(41, 'lines[0].productCode', 'empty', sampleCart),
  omitted(41, 'lines[1].productCode', 'zeros alone', itemWith(1, { OrderedProd: '0'.repeat(18) })),
  refused(41, 'lines[1].productCode', 'too long', itemWith(1, { OrderedProd: LONG(41) }), [
    { code: 'E_FIELD_LENGTH', path: item(1, 'OrderedProd'), value: '[word, 41 characters]' },
  ]),

  made(42, 'lines[1].supplierPartNumber', 'zeros stay', itemWith(1, { PartnerProd: ' 007 ' }), '007'),
  omitted(42, 'lines[0].supplierPartNumber', 'empty', sampleCart),
  made(42, 'lines[1].manufacturerPartNumber', 'copied', itemWith(1, { ManuProd: 'M-1' }), 'M-1'),
  omitted(42, 'lines[1].manufacturerPartNumber', 'empty', sampleCart),
];

const amounts: readonly Case[] = [
  made(43, 'lines[0].quantity', 'trailing zeros dropped', sampleCart, '60'),
  made(43, 'lines[0].quantity', 'decimals kept', cartOf([labour({ Quantity: '1.500', Value: '975.000' })]), '1.5'),
  omitted(43, 'lines[2].quantity', 'not for LIMIT', sampleCart),
  refused(43, 'lines[0].quantity', 'empty', itemWith(0, { Quantity: '' }), [
    { code: 'E_QTY_INVALID', path: item(0, 'Quantity') },
  ]),
  ...['0.000', '-1.000'].map((Quantity) =>
    refused(43, 'lines[0].quantity', `not more than zero: ${Quantity}`, itemWith(0, { Quantity }), [
      { code: 'E_QTY_INVALID', path: item(0, 'Quantity'), value: Quantity },
    ]),
  ),
  refused(43, 'lines[0].quantity', 'no decimal', itemWith(0, { Quantity: '60,000' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'Quantity'), value: '60,000' },
  ]),
  refused(
    43,
    'lines[0].quantity',
    'finer than 11VMS takes',
    itemWith(0, { Quantity: '60.00001' }),
    [{ code: 'E_FIELD_FORMAT', path: item(0, 'Quantity'), value: '60.00001' }].map((fault) => ({
      ...fault,
      code: 'E_FIELD_FORMAT' as const,
    })),
  ),

  made(44, 'lines[1].unitOfMeasure', 'from the map', sampleCart, 'EA'),
  omitted(44, 'lines[2].unitOfMeasure', 'not for LIMIT', itemWith(2, { Unit: 'ZZZ' })),
  refused(44, 'lines[1].unitOfMeasure', 'unknown', itemWith(1, { Unit: 'ZZZ' }), [
    { code: 'E_MAP_UOM', path: item(1, 'Unit'), value: 'ZZZ' },
  ]),
  refused(44, 'lines[1].unitOfMeasure', 'empty', itemWith(1, { Unit: '' }), [
    { code: 'E_MAP_UOM', path: item(1, 'Unit') },
  ]),

  made(45, 'lines[0].unitPrice', 'at least the decimals of the currency', sampleCart, '650.00'),
  made(45, 'lines[1].unitPrice', 'at most 4', itemWith(1, { Price: '12.5001' }), '12.5001'),
  omitted(45, 'lines[2].unitPrice', 'not for LIMIT', sampleCart),
  made(45, 'lines[0].unitPrice', 'zero, where allowed', cartOf([labour({ Price: '0.0000', Value: '0.000' })]), '0.00', {
    settings: { allowZeroPrice: true },
  }),
  refused(45, 'lines[0].unitPrice', 'zero', cartOf([labour({ Price: '0.0000', Value: '0.000' })]), [
    { code: 'E_PRICE_INVALID', path: item(0, 'Price'), value: '0.0000' },
  ]),
  refused(
    45,
    'lines[0].unitPrice',
    'negative, even where zero is allowed',
    itemWith(0, { Price: '-1' }),
    [{ code: 'E_PRICE_INVALID', path: item(0, 'Price'), value: '-1' }],
    { allowZeroPrice: true },
  ),
  refused(45, 'lines[0].unitPrice', 'empty', itemWith(0, { Price: null }), [
    { code: 'E_PRICE_INVALID', path: item(0, 'Price') },
  ]),
  refused(45, 'lines[0].unitPrice', 'finer than 4 decimals', itemWith(0, { Price: '650.00001' }), [
    { code: 'E_AMT_PRECISION', path: item(0, 'Price'), value: '650.00001' },
  ]),
  refused(45, 'lines[0].unitPrice', 'no decimal', itemWith(0, { Price: 'EUR 650' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'Price'), value: 'EUR 650' },
  ]),

  made(46, 'lines[1].priceBaseQuantity', 'copied', itemWith(1, { PriceUnit: '100.000' }), '100'),
  ...['0', '', null].map((PriceUnit) =>
    made(46, 'lines[0].priceBaseQuantity', `1 for ${PriceUnit}`, itemWith(0, { PriceUnit }), '1', {
      warnings: [{ code: 'W_PRICE_UNIT_EMPTY', path: item(0, 'PriceUnit') }],
    }),
  ),
  omitted(46, 'lines[2].priceBaseQuantity', 'not for LIMIT', sampleCart),
  refused(46, 'lines[0].priceBaseQuantity', 'negative', itemWith(0, { PriceUnit: '-1' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'PriceUnit'), value: '-1' },
  ]),
  refused(46, 'lines[0].priceBaseQuantity', 'no whole number', itemWith(0, { PriceUnit: '1.5', Value: '26000.000' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'PriceUnit'), value: '1.5' },
  ]),
  refused(46, 'lines[0].priceBaseQuantity', 'no decimal', itemWith(0, { PriceUnit: '1E2' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'PriceUnit'), value: '1E2' },
  ]),

  made(47, 'lines[1].netAmount', 'in the decimals of the currency', sampleCart, '31.25'),
  made(47, 'lines[2].netAmount', 'LIMIT: the expected value', itemWith(2, { Value: '9.000' }), '2000.00'),
  refused(47, 'lines[1].netAmount', 'empty', itemWith(1, { Value: '' }), [
    { code: 'E_FIELD_MISSING', path: item(1, 'Value') },
  ]),
  refused(47, 'lines[2].netAmount', 'LIMIT: nothing expected', itemWith(2, { ExpValue: null }), [
    { code: 'E_FIELD_MISSING', path: item(2, 'ExpValue') },
  ]),
  refused(47, 'lines[1].netAmount', 'finer than the currency', itemWith(1, { Value: '31.255' }), [
    { code: 'E_AMT_PRECISION', path: item(1, 'Value'), value: '31.255' },
  ]),
  refused(47, 'lines[1].netAmount', 'negative', itemWith(1, { Value: '-31.250' }), [
    { code: 'E_FIELD_FORMAT', path: item(1, 'Value'), value: '-31.250' },
  ]),

  made(48, 'lines[1].netAmount', 'off by one minor unit', itemWith(1, { Value: '31.260' }), '31.26'),
  refused(48, 'lines[1].netAmount', 'off by two', itemWith(1, { Value: '31.270' }), [
    { code: 'E_AMT_LINE_MISMATCH', path: item(1, 'Value'), value: '31.270' },
  ]),
  refused(
    48,
    'lines[0].netAmount',
    'a price unit that is not there counts as 1',
    itemWith(0, { PriceUnit: '', Value: '390.000' }),
    [{ code: 'E_AMT_LINE_MISMATCH', path: item(0, 'Value'), value: '390.000' }],
  ),
  made(48, 'lines[2].netAmount', 'not for LIMIT', itemWith(2, { Quantity: '7.000' }), '2000.00'),

  made(49, 'lines[2].limit.maximumAmount', 'in the decimals of the currency', sampleCart, '3000.00'),
  made(
    49,
    'lines[2].limit',
    'unlimited, where allowed',
    itemWith(2, { Unlimited: 'X', Limit: '0.000' }),
    { unlimited: true, expectedAmount: '2000.00' },
    { settings: { allowUnlimited: true } },
  ),
  omitted(49, 'lines[1].limit', 'not for others', itemWith(1, { Limit: '5.000' })),
  refused(49, 'lines[2].limit.unlimited', 'unlimited', itemWith(2, { Unlimited: true }), [
    { code: 'E_LIMIT_UNLIMITED', path: item(2, 'Unlimited') },
  ]),
  refused(49, 'lines[2].limit.maximumAmount', 'empty', itemWith(2, { Limit: '' }), [
    { code: 'E_FIELD_MISSING', path: item(2, 'Limit') },
  ]),
  refused(49, 'lines[2].limit.maximumAmount', 'negative', itemWith(2, { Limit: '-3000' }), [
    { code: 'E_FIELD_FORMAT', path: item(2, 'Limit'), value: '-3000' },
    { code: 'E_LIMIT_RANGE', path: item(2, 'ExpValue'), field: 'lines[2].limit.expectedAmount', value: '2000.000' },
  ]),
  refused(49, 'lines[2].limit.maximumAmount', 'finer than the currency', itemWith(2, { Limit: '3000.001' }), [
    { code: 'E_AMT_PRECISION', path: item(2, 'Limit'), value: '3000.001' },
  ]),

  made(50, 'lines[2].limit.expectedAmount', 'as much as the limit', itemWith(2, { Limit: '2000.000' }), '2000.00'),
  refused(50, 'lines[2].limit.expectedAmount', 'over the limit', itemWith(2, { Limit: '1999.990' }), [
    { code: 'E_LIMIT_RANGE', path: item(2, 'ExpValue'), value: '2000.000' },
  ]),

  made(
    51,
    'lines[0].tax',
    'copied, and in the decimals of the currency',
    itemWith(0, { TaxCode: 'V1', TaxValue: '8190.000' }),
    { code: 'V1', amount: '8190.00' },
  ),
  made(51, 'lines[0].tax', 'no amount', itemWith(0, { TaxValue: '' }), { code: 'V0', amount: '0.00' }),
  omitted(51, 'lines[0].tax', 'no code', itemWith(0, { TaxCode: '' })),
  refused(
    51,
    'lines[0].tax.code',
    'mapped, and not listed',
    cartOf([labour()]),
    [{ code: 'E_MAP_TAX', path: item(0, 'TaxCode'), value: 'V0' }],
    { valueMaps: { tax: { mode: 'mapped', codes: { V1: 'S21' } } } },
  ),
  refused(51, 'lines[0].tax.amount', 'negative', itemWith(0, { TaxValue: '-1.00' }), [
    { code: 'E_FIELD_FORMAT', path: item(0, 'TaxValue'), value: '-1.00' },
  ]),
  refused(51, 'lines[0].tax.amount', 'finer than the currency', itemWith(0, { TaxValue: '0.001' }), [
    { code: 'E_AMT_PRECISION', path: item(0, 'TaxValue'), value: '0.001' },
  ]),
];

const dates: readonly Case[] = [
  made(52, 'lines[1].deliveryDate', 'of a material', sampleCart, '2026-12-15'),
  made(
    52,
    'lines[0].deliveryDate',
    'of a service without a period',
    cartOf([service({ ...period(null, null), DelivDate: date('2026-12-15') })]),
    '2026-12-15',
  ),
  omitted(
    52,
    'lines[0].deliveryDate',
    'of a service with a period',
    cartOf([service({ DelivDate: date('2026-12-15') })]),
  ),
  refused(52, 'lines[1].deliveryDate', 'a material without', itemWith(1, { DelivDate: null }), [
    { code: 'E_DATE_MISSING', path: item(1, 'DelivDate') },
  ]),
  refused(
    52,
    'lines[1].deliveryDate',
    'a material with a period instead',
    itemWith(1, { DelivDate: null, ...period(date('2027-01-04'), null) }),
    [{ code: 'E_DATE_MISSING', path: item(1, 'DelivDate') }],
  ),
  refused(52, 'lines[0].deliveryDate', 'labour with neither', cartOf([labour(period(null, null))]), [
    { code: 'E_DATE_MISSING', path: item(0, 'DelivDate') },
  ]),
  refused(52, 'lines[1].deliveryDate', 'unreadable', itemWith(1, { DelivDate: '15.12.2026' }), [
    { code: 'E_DATE_INVALID', path: item(1, 'DelivDate'), value: '15.12.2026' },
  ]),

  made(53, 'lines[0].servicePeriod', 'start and end', sampleCart, { startDate: '2027-01-04', endDate: '2027-03-31' }),
  made(53, 'lines[0].servicePeriod', 'only a start', itemWith(0, { EndDate: null }), { startDate: '2027-01-04' }),
  made(53, 'lines[0].servicePeriod', 'one day', itemWith(0, { EndDate: date('2027-01-04') }), {
    startDate: '2027-01-04',
    endDate: '2027-01-04',
  }),
  omitted(53, 'lines[1].servicePeriod', 'not for a material', itemWith(1, period(date('2027-01-04'), null))),
  refused(53, 'lines[0].servicePeriod', 'ends before it starts', itemWith(0, { EndDate: date('2027-01-03') }), [
    { code: 'E_DATE_RANGE', path: item(0, 'EndDate'), value: date('2027-01-03') },
  ]),
  refused(53, 'lines[0].servicePeriod', 'ends, and never starts', itemWith(0, { StartDate: '00000000' }), [
    { code: 'E_DATE_RANGE', path: item(0, 'StartDate'), value: '00000000' },
  ]),
  refused(53, 'lines[0].servicePeriod', 'the start is unreadable', itemWith(0, { StartDate: 'soon' }), [
    { code: 'E_DATE_INVALID', path: item(0, 'StartDate'), value: 'soon' },
  ]),
  refused(
    53,
    'lines[0].servicePeriod',
    'the start of labour is unreadable, and a delivery date is there',
    cartOf([labour({ StartDate: 'soon', DelivDate: date('2026-12-15') })]),
    [{ code: 'E_DATE_INVALID', path: item(0, 'StartDate'), value: 'soon' }],
  ),

  made(54, 'lines[0].contract', 'zeros dropped', itemWith(0, { CtrId: '0044000012', CtrItem: '00010' }), {
    number: '44000012',
    item: '10',
  }),
  made(54, 'lines[0].contract', 'no item', itemWith(0, { CtrItem: '' }), { number: '4400001234' }),
  made(54, 'lines[0].contract', 'an item of zeros', itemWith(0, { CtrItem: '0000000000' }), { number: '4400001234' }),
  omitted(54, 'lines[0].contract', 'zeros alone', itemWith(0, { CtrId: '0000000000', CtrItem: '0000000000' })),
  omitted(54, 'lines[0].contract', 'an item of nothing', itemWith(0, { CtrId: '' })),

  omitted(55, 'lines[0].deliverTo', 'the same as the order', itemWith(0, { Partners: shipTo({}) })),
  made(55, 'lines[0].deliverTo', 'elsewhere', cartWith({ Partners: shipTo({ City: 'Namur' }) }), {
    name: 'Brussels campus, building B',
    street: 'Rue du Canal',
    houseNumber: '12',
    postalCode: '1000',
    city: 'Brussels',
    country: 'BE',
  }),
  made(
    55,
    'lines[0].deliverTo.region',
    'elsewhere',
    cartWith({ Partners: shipTo({ City: 'Namur' }) }, { 0: { Partners: shipTo({ Region: 'BRU' }) } }),
    'BRU',
  ),
  refused(55, 'lines[0].deliverTo.country', 'unknown', itemWith(0, { Partners: shipTo({ Country: 'XX' }) }), [
    { code: 'E_MAP_COUNTRY', path: item(0, 'Partners.results[0].Country'), value: 'XX' },
  ]),
  refused(
    55,
    'lines[0].deliverTo.city',
    'too long: reported without the city',
    cartWith({ Partners: shipTo({}) }, { 0: { Partners: shipTo({ City: LONG(41) }) } }),
    [{ code: 'E_FIELD_LENGTH', path: item(0, 'Partners.results[0].City') }],
  ),
];

const acc = (...rows: readonly Row[]): Row => itemWith(0, { Accounting: accounting(...rows) });

const assignments: readonly Case[] = [
  made(56, 'lines[0].accounting[0].sequence', 'an integer', acc({ AccNo: '0007' }), 7),
  ...['', '0000', 'A', '1.5'].map((AccNo) =>
    made(56, 'lines[0].accounting[0].sequence', `the position for ${AccNo}`, acc({ AccNo }), 1),
  ),
  made(
    56,
    'lines[0].accounting',
    'in the order of the numbers',
    acc({ AccNo: '2', DistrPerc: '25' }, { AccNo: '1', DistrPerc: '75' }),
    [
      expect.objectContaining({ sequence: 1, percentage: '75.00' }),
      expect.objectContaining({ sequence: 2, percentage: '25.00' }),
    ],
  ),

  ...(
    [
      ['CC', 'COST_CENTRE'],
      ['OR', 'INTERNAL_ORDER'],
      ['WBS', 'WBS'],
      ['AS', 'ASSET'],
      ['NET', 'NETWORK'],
    ] as const
  ).map(([AccCat, category]) =>
    made(
      57,
      'lines[0].accounting[0].category',
      `${AccCat} is ${category}`,
      acc({ AccCat, CostCtr: '1', OrderNo: '1', WbsElem: '1', Asset: '1', Network: '1' }),
      category,
    ),
  ),
  ...['SO', 'ZZ', 'cc'].map((AccCat) =>
    refused(57, 'lines[0].accounting[0].category', `unknown: ${AccCat}`, acc({ AccCat }), [
      { code: 'E_MAP_ACCCAT', path: share(0, 'AccCat'), value: AccCat },
    ]),
  ),
  refused(
    57,
    'lines[0].accounting[1].category',
    'empty',
    acc({ DistrPerc: '50' }, { DistrPerc: '50', AccCat: '', AccNo: '2' }),
    [{ code: 'E_MAP_ACCCAT', path: share(1, 'AccCat') }],
  ),
  refused(57, 'lines[0].accounting', 'no assignment', itemWith(0, { Accounting: list() }), [
    { code: 'E_ACC_MISSING', path: item(0, 'Accounting') },
  ]),
  refused(
    57,
    'lines[0].accounting',
    'more assignments than 11VMS takes',
    itemWith(0, {
      Accounting: accounting(
        ...Array.from({ length: 100 }, (_, index) => ({ DistrPerc: '1', AccNo: String(index + 1) })),
      ),
    }),
    [{ code: 'E_TGT_TOO_LARGE', path: '$.Items.results[0]' }],
  ),

  made(
    58,
    'lines[0].accounting[0].percentage',
    '2 decimals',
    acc({ DistrPerc: '60' }, { DistrPerc: '40.0', AccNo: '2' }),
    '60.00',
  ),
  refused(58, 'lines[0].accounting', 'not 100', itemWith(0, { Accounting: shares('60.00', '30.00') }), [
    { code: 'E_ACC_SPLIT_NOT_100', path: item(0, 'Accounting') },
  ]),
  refused(58, 'lines[0].accounting[0].percentage', 'empty', acc({ DistrPerc: '' }), [
    { code: 'E_ACC_SPLIT_NOT_100', path: share(0, 'DistrPerc') },
  ]),
  refused(
    58,
    'lines[0].accounting[0].percentage',
    'negative',
    itemWith(0, { Accounting: shares('-20.00', '120.00') }),
    [{ code: 'E_ACC_SPLIT_NOT_100', path: share(0, 'DistrPerc'), value: '-20.00' }],
  ),
  refused(
    58,
    'lines[0].accounting[0].percentage',
    'finer than 2 decimals',
    itemWith(0, { Accounting: shares('33.333', '66.667') }),
    [
      { code: 'E_ACC_SPLIT_NOT_100', path: share(0, 'DistrPerc'), value: '33.333' },
      {
        code: 'E_ACC_SPLIT_NOT_100',
        path: share(1, 'DistrPerc'),
        field: 'lines[0].accounting[1].percentage',
        value: '66.667',
      },
    ],
  ),
  refused(58, 'lines[0].accounting[0].percentage', 'no decimal', acc({ DistrPerc: '100 %' }), [
    { code: 'E_FIELD_FORMAT', path: share(0, 'DistrPerc'), value: '100 %' },
  ]),

  made(59, 'lines[0].accounting[0].amount', 'its part of the line', sampleCart, '23400.00'),
  made(
    59,
    'lines[0].accounting',
    'by largest remainder',
    cartOf([limit({ ExpValue: '0.100', Accounting: shares('33.33', '33.33', '33.34') })]),
    [
      expect.objectContaining({ amount: '0.03' }),
      expect.objectContaining({ amount: '0.03' }),
      expect.objectContaining({ amount: '0.04' }),
    ],
  ),

  made(60, 'lines[0].accounting[0].glAccount', 'padded to 10', acc({ GLAcct: '615200' }), '0000615200'),
  made(60, 'lines[0].accounting[0].glAccount', 'letters are not padded', acc({ GLAcct: 'G615' }), 'G615'),
  omitted(60, 'lines[0].accounting[0].glAccount', 'zeros alone', acc({ GLAcct: '0000000000' })),
  omitted(60, 'lines[0].accounting[0].glAccount', 'empty, and optional', acc({ GLAcct: '' })),
  refused(
    60,
    'lines[0].accounting[0].glAccount',
    'empty, and configured mandatory',
    acc({ GLAcct: '' }),
    [{ code: 'E_ACC_OBJECT_MISSING', path: share(0, 'GLAcct') }],
    { glAccountMandatory: true },
  ),
  refused(60, 'lines[0].accounting[0].glAccount', 'too long', acc({ GLAcct: '12345678901' }), [
    { code: 'E_FIELD_LENGTH', path: share(0, 'GLAcct'), value: '12345678901' },
  ]),

  refused(61, 'lines[0].accounting[0].costCentre', 'zeros alone', acc({ CostCtr: '0000000000' }), [
    { code: 'E_ACC_OBJECT_MISSING', path: share(0, 'CostCtr'), value: '0000000000' },
  ]),
  made(61, 'lines[0].accounting[0].costCentre', 'padded to 10', acc({ CostCtr: '101234' }), '0000101234'),
  made(
    61,
    'lines[0].accounting[0].internalOrder',
    'padded to 12',
    acc({ AccCat: 'OR', OrderNo: '800123' }),
    '000000800123',
  ),
  made(
    61,
    'lines[0].accounting[0].wbsElement',
    'copied',
    acc({ AccCat: 'WBS', WbsElem: 'C-2027-0042' }),
    'C-2027-0042',
  ),
  made(
    61,
    'lines[0].accounting[0].wbsElement',
    'SAP pads no WBS element',
    acc({ AccCat: 'WBS', WbsElem: '20270042' }),
    '20270042',
  ),
  made(
    61,
    'lines[0].accounting[0].asset',
    'padded to 12, and its sub-number to 4',
    acc({ AccCat: 'AS', Asset: '4711', SubNumber: '1' }),
    '000000004711-0001',
  ),
  made(
    61,
    'lines[0].accounting[0].asset',
    'no sub-number',
    acc({ AccCat: 'AS', Asset: '4711', SubNumber: '' }),
    '000000004711',
  ),
  made(
    61,
    'lines[0].accounting[0].network',
    'padded to 12, and its activity to 4',
    acc({ AccCat: 'NET', Network: '4000123', Activity: '10' }),
    '000004000123-0010',
  ),
  made(61, 'lines[0].accounting[0].network', 'no activity', acc({ AccCat: 'NET', Network: '4000123' }), '000004000123'),
  made(
    61,
    'lines[0].accounting[0].network',
    'an activity of zeros alone',
    acc({ AccCat: 'NET', Network: '4000123', Activity: '0000' }),
    '000004000123',
  ),
  omitted(
    61,
    'lines[0].accounting[0].costCentre',
    'only the object of the category',
    acc({ AccCat: 'OR', OrderNo: '800123', CostCtr: '101234' }),
  ),
  ...(
    [
      ['CC', 'CostCtr', 'costCentre'],
      ['OR', 'OrderNo', 'internalOrder'],
      ['WBS', 'WbsElem', 'wbsElement'],
      ['AS', 'Asset', 'asset'],
      ['NET', 'Network', 'network'],
    ] as const
  ).map(([AccCat, name, target]) =>
    refused(
      61,
      `lines[0].accounting[0].${target}`,
      `${AccCat} without its object`,
      acc({ AccCat, [name]: ' ', SubNumber: '1', Activity: '1' }),
      [{ code: 'E_ACC_OBJECT_MISSING', path: share(0, name), value: ' ' }],
    ),
  ),

  made(62, 'lines[0].accounting[0].profitCentre', 'copied, and not padded', acc({ ProfitCtr: '4711' }), '4711'),
  omitted(62, 'lines[0].accounting[0].profitCentre', 'empty', sampleCart),
  made(62, 'lines[0].accounting[0].controllingArea', 'copied', sampleCart, '1000'),
  omitted(62, 'lines[0].accounting[0].controllingArea', 'empty', acc({ CoArea: '' })),
  made(62, 'lines[0].accounting[0].companyCode', 'of the header', sampleCart, 'BE10'),
];

const note = (Tdid: unknown, Text: unknown, Language: unknown = 'EN'): Row => ({ Tdid, Language, Text });
const file = (fields: Row): Row => ({ Guid: '005056a5-09b3-1ee1-bee5-8ce5a1c99db0', FileName: 'a.pdf', ...fields });
const url = 'urn:srm7:attachment:005056a509b31ee1bee58ce5a1c99db0';

const appendices: readonly Case[] = [
  made(
    63,
    'notes',
    'by text type, others left out',
    cartWith({
      Texts: texts(
        note('NOTE', 'a'),
        note('INTN', 'b'),
        note('VEND', 'c', 'F'),
        note('ZAPP', 'd'),
        note('', 'e'),
        note('NOTE', ''),
      ),
    }),
    [
      { type: 'HEADER', language: 'en', text: 'a' },
      { type: 'INTERNAL', language: 'en', text: 'b' },
      { type: 'SUPPLIER', language: 'fr', text: 'c' },
    ],
  ),
  made(
    63,
    'notes',
    'an unknown language',
    cartWith({ Texts: texts(...['', '1', 'ENG', 'constructor'].map((Language) => note('NOTE', 'a', Language))) }),
    Array.from({ length: 4 }, () => ({ type: 'HEADER', text: 'a' })),
  ),
  made(
    63,
    'notes[1].text',
    'too long',
    cartWith({ Texts: texts(note('ZAPP', 'x'), note('NOTE', 'a'), note('VEND', LONG(4001))) }),
    LONG(3995) + CUT,
    {
      warnings: [{ code: 'W_TEXT_CUT', path: '$.Texts.results[2].Text' }],
    },
  ),
  omitted(63, 'notes', 'none', cartWith({ Texts: null })),

  made(64, 'attachments', 'metadata only', sampleCart, [
    { fileName: 'annex-1.pdf', mimeType: 'application/pdf', sizeBytes: 182044, url },
  ]),
  made(64, 'attachments', 'no more than a name', cartWith({ Attachments: list(file({})) }), [
    { fileName: 'a.pdf', url },
  ]),
  omitted(
    64,
    'attachments',
    'internal ones cause no warning',
    cartWith({ Attachments: list(file({ InternalOnly: 'X' })) }),
  ),
  omitted(
    64,
    'attachments',
    'no name, or no GUID',
    cartWith({ Attachments: list(file({ FileName: ' ' }), file({ Guid: '' }), file({ Guid: 'G' })) }),
    {
      warnings: [0, 1, 2].map((index) => ({ code: 'W_ATTACHMENT_LEFT_OUT', path: `$.Attachments.results[${index}]` })),
    },
  ),
  made(
    64,
    'attachments',
    'beyond the maximum',
    cartWith({ Attachments: list(file({}), file({ FileName: 'b.pdf' })) }),
    [{ fileName: 'a.pdf', url }],
    {
      settings: { maximumAttachments: 1 },
      warnings: [{ code: 'W_ATTACHMENT_LEFT_OUT', path: '$.Attachments.results[1]' }],
    },
  ),
  made(
    64,
    'attachments[0].fileName',
    'too long',
    cartWith({ Attachments: list(file({ FileName: LONG(256) })) }),
    LONG(250) + CUT,
    {
      warnings: [{ code: 'W_TEXT_CUT', path: '$.Attachments.results[0].FileName' }],
    },
  ),
  omitted(64, 'attachments[0].mimeType', 'too long', cartWith({ Attachments: list(file({ MimeType: LONG(129) })) }), {
    warnings: [{ code: 'W_ATTACHMENT_LEFT_OUT', path: '$.Attachments.results[0].MimeType' }],
  }),
  ...['-1', '1.5', '12 kB', '9'.repeat(16)].map((SizeBytes) =>
    omitted(
      64,
      'attachments[0].sizeBytes',
      `no size: ${SizeBytes}`,
      cartWith({ Attachments: list(file({ SizeBytes })) }),
      {
        warnings: [{ code: 'W_ATTACHMENT_LEFT_OUT', path: '$.Attachments.results[0].SizeBytes' }],
      },
    ),
  ),
  made(
    64,
    'attachments[0].sizeBytes',
    'a JSON number',
    cartWith({ Attachments: list(file({ SizeBytes: 1024 })) }),
    1024,
  ),
];

const cases = [identification, parties, terms, lineHeads, amounts, dates, assignments, appendices].flat();

const codesOf = (faults: readonly Expected[]): string => faults.map(({ code }) => code).join(', ');
const madeCases = cases.filter(({ faults }) => faults === undefined);
const refusedCases = cases.flatMap(({ faults, ...rest }) =>
  faults === undefined ? [] : [{ ...rest, faults, codes: codesOf(faults) }],
);

test.each(madeCases)('row $row, $target: $when', ({ target, cart, settings, value, warnings = [] }) => {
  const translation = translate(cart, settings);
  expect(faultsOf(translation)).toEqual([]);
  expect(valueAt(ordersOf(translation)[0], target)).toEqual(value);
  const reported = warningsOf(translation).map(({ code, path, field = '-' }) => ({ code, path, field }));
  expect(reported).toEqual(warnings.map(({ code, path, field = target }) => ({ code, path, field })));
});

/** The line of a path, by the number that a buyer sees. */
function lineOf(cart: Row, path: string): { readonly line?: string } {
  const [item] = /^\$\.Items\.results\[\d+\]/.exec(path) ?? [];
  const number = item === undefined ? '' : String(valueAt(cart, `${item.slice(2)}.NumberInt`));
  return /^\d{1,10}$/.test(number) && Number(number) > 0 ? { line: String(Number(number)) } : {};
}

test.each(refusedCases)('row $row, $target: $when: $codes', ({ target, cart, settings, faults }) => {
  const translation = translate(cart, settings);
  const reported = faultsOf(translation);
  expect(reported).toEqual(
    faults.map((fault) => ({ field: target, ...lineOf(cart, fault.path), ...fault, message: expect.any(String) })),
  );
  expect(ordersOf(translation)).toEqual([]);
  // A path points at the value that it is quoted with.
  const quoted = reported.filter(({ value }) => value !== undefined).map(({ path = '' }) => path);
  expect(quoted.filter((path) => !pathExists(cart, path))).toEqual([]);
});

describe('the table of mapping cases', () => {
  const rows = rowsOf(spreadsheetOf(orderRules)).map(([, row]) => row);

  test('has every row of the mapping that a cart decides', () => {
    const covered = new Set(cases.map(({ row }) => row));
    expect(Array.from({ length: 64 }, (_, index) => index + 1).filter((row) => !covered.has(row))).toEqual([]);
  });

  test('has a case for the rule of every field', () => {
    const plain = (field: string): string => field.replaceAll(/\[\d+\]/g, '');
    const leaves = (value: unknown, field: string): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, part]) =>
            leaves(part, Array.isArray(value) ? field : `${field}.${name}`),
          )
        : [field];
    const covered = new Set(
      cases.flatMap(({ target, value, faults }) => [
        plain(target),
        ...(faults ?? []).map(({ field = target }) => plain(field)),
        ...leaves(value, plain(target)),
      ]),
    );
    const fields = rowsOf(spreadsheetOf(orderRules)).map(([field]) => field);
    expect(fields.filter((field) => !covered.has(field))).toEqual([]);
  });

  test('has every code that a rule announces', () => {
    const seen = new Set(cases.flatMap(({ row, faults = [] }) => faults.map(({ code }) => `${row} ${code}`)));
    // Mapping rows 31 and 48 are checks that the rules of 30 and 47 make; mapping row 55 is mapping row 29 for a line.
    const alias: Readonly<Record<number, readonly number[]>> = { 30: [31], 47: [48], 29: [55] };
    const unseen = rows.flatMap(({ row, codes }) =>
      codes
        .filter((code) => ![row, ...(alias[row] ?? [])].some((number) => seen.has(`${number} ${code}`)))
        .map((code) => `${row} ${code}`),
    );
    expect(unseen).toEqual([]);
  });

  test('has an omission for every optional rule', () => {
    const omissions = new Set(
      cases.filter(({ faults, value }) => faults === undefined && value === undefined).map(({ row }) => row),
    );
    const unseen = rows.filter(({ row, mandatory }) => mandatory === 'O' && !omissions.has(row)).map(({ row }) => row);
    // Mapping row 6 has a default instead.
    expect(unseen).toEqual([6]);
  });
});
