/** The error catalogue, for the people who handle faults. */
import { type FaultCode, WARNING_CATALOGUE } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { GENERATED, markdownText } from './markdown.ts';

type FamilyOf<Code> = Code extends `E_${infer Name}_${string}` ? Name : never;

/** Every family has a heading: a new family does not compile without one. */
const HEADINGS: Readonly<Record<FamilyOf<FaultCode>, string>> = {
  SRC: 'Reading from SRM',
  CART: 'The life of a cart',
  EXTREF: 'References',
  SUPPLIER: 'Supplier',
  REQUESTER: 'Requester',
  ADDRESS: 'Delivery address',
  FIELD: 'Fields',
  DATE: 'Dates',
  LINE: 'Lines',
  QTY: 'Quantities',
  PRICE: 'Prices',
  AMT: 'Amounts',
  LIMIT: 'Limits',
  ACC: 'Account assignment',
  MAP: 'Value maps',
  TGT: 'Delivery to 11VMS',
  ALM: 'Health in Cloud ALM',
  INT: 'The interface itself',
};

export function errorsMarkdown(): string {
  const sections = Object.entries(HEADINGS).map(([family, heading]) => {
    const rows = Object.entries(FAULT_CATALOGUE)
      .filter(([code]) => code.split('_')[1] === family)
      .map(([code, { meaning, owner, action }]) => [code, meaning, owner, action]);
    return `## ${heading}: E_${family}\n\n${markdownText(['code', 'meaning', 'owner', 'what to do'], rows)}\n`;
  });
  return `# Error catalogue

${GENERATED}
The catalogue is \`shared/failure.ts\`; what to do stands in \`shared/fault-catalogue.ts\`.

A fault carries one of these codes, the number of the line and the JSON path in the cart, the field of the order, and the
value as SRM sent it, where it is a code, an amount or a date, or looks like one; else, in square brackets, what kind of text it is, and how long. All faults of a cart are reported together: in the ledger, and by code in one log line of its message.
After a replay or a new approval, close the old dead letter ([runbook](../../infra/runbook.md#redrive)).

${sections.join('\n')}
## Warnings: W

A rule handled it by itself: the order is created, and nothing is dead-lettered. The log line of the translation has the
codes and paths.

${markdownText(['code', 'meaning'], Object.entries(WARNING_CATALOGUE))}
`;
}
