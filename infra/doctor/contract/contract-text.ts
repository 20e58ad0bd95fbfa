/** The contract check, as text and as JSON. Names and forms of properties are shown, and never a value. */
import { asTable } from '../../carts/tables.ts';
import { asText } from '../report.ts';
import type { PropertyReport } from './compare.ts';
import type { ContractReport } from './srm-contract.ts';

const MARKS = { expected: '', long: 'LONG', unreadable: 'UNREAD', missing: 'MISSING', unknown: 'UNKNOWN' } as const;

/** Does something keep the interface from working with this system? A missing property may be optional. */
export const hasObstacle = (reports: readonly ContractReport[]): boolean =>
  reports.some(
    ({ findings, properties }) =>
      findings.some(({ status }) => status === 'fail') || properties.some(({ status }) => status === 'unreadable'),
  );

export const contractText = (reports: readonly ContractReport[]): string =>
  reports
    .map(
      ({ what, findings, properties }) =>
        `${what}\n\n${asText(findings)}${properties.length === 0 ? '' : `\n${tables(properties)}`}`,
    )
    .join('\n');

function tables(properties: readonly PropertyReport[]): string {
  return [...Map.groupBy(properties, ({ entity }) => entity)]
    .map(([entity, own]) => {
      const wrong = own.filter(({ status }) => status !== 'expected');
      const advice = own.filter(({ advice }) => advice !== undefined);
      return [
        `${entity}: ${own.length - wrong.length} of ${own.length} ${own.length === 1 ? 'property' : 'properties'} as expected\n`,
        asTable(own.map(asRow), '  '),
        ...advice.map(({ property, advice: what }) => `  -> ${property}: ${what}\n`),
      ].join('');
    })
    .join('\n');
}

const asRow = ({ property, status, expected, rows, forms, longest }: PropertyReport) => ({
  '': MARKS[status],
  property,
  expected: expected ?? '-',
  came: Object.entries(forms)
    .map(([form, count]) => (count === rows ? form : `${count} ${form}`))
    .join(', '),
  rows,
  longest: longest === 0 ? '' : longest,
});

export const contractJson = (environment: string, reports: readonly ContractReport[]): string =>
  `${JSON.stringify({ environment, fits: !hasObstacle(reports), reports })}\n`;
