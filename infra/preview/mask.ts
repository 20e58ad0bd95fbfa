/** A preview without the fields of people and without what people type: it keeps what a fault may show of a cart. */
import { isKept, QUOTED_FIELDS } from '../../functions/create-purchase-orders/translation/source-quotes.ts';
import { mappedFields } from '../docs/mapping.ts';
import type { CartPreview, FieldPreview, FieldValue, GroupPreview, LinePreview } from './preview-cart.ts';

export const MASK = '•••';

/** Switches, languages and types say nothing about a person, and faults do not need them. */
const HARMLESS = ['LimitInd', 'Unlimited', 'Tdid', 'Language', 'DescrLanguage', 'MimeType', 'SizeBytes'];

const isShown = (name: string): boolean => QUOTED_FIELDS.has(name) || HARMLESS.includes(name);

/** A value of the cart, by the name of its field. */
export const maskSource = <Source extends { readonly name: string; readonly value: string }>(source: Source): Source =>
  source.value === '' || (isShown(source.name) && (isKept(source.value) || HARMLESS.includes(source.name)))
    ? source
    : { ...source, value: MASK };

const HIDDEN_TARGETS: ReadonlySet<string> = new Set(
  mappedFields()
    .filter(({ rule }) => !rule.source.every(isShown))
    .map(({ target }) => target),
);

export const maskCart = (cart: CartPreview): CartPreview => ({
  ...cart,
  description: maskText(cart.description),
  groups: cart.groups.map(maskGroup),
  droppedLines: cart.droppedLines.map((line) => ({ ...maskLine(line), reason: line.reason })),
});

/** Without the order itself, whose fields it has one by one. */
function maskGroup(group: GroupPreview): GroupPreview {
  const { order: _order, body: _body, ...rest } = group;
  return { ...rest, lines: group.lines.map(maskLine), fields: group.fields.map(maskField) };
}

const maskLine = (line: LinePreview): LinePreview => ({ ...line, description: maskText(line.description) });

function maskField(field: FieldPreview): FieldPreview {
  const sources = field.sources.map(maskSource);
  const isHidden = field.value !== undefined && sources.some(({ value }) => value === MASK);
  return { ...field, value: isHidden ? MASK : maskTarget(field.target, field.value), sources };
}

/** A value of the order, by its field with the list marks: `lines[].description`. */
export const maskTarget = (target: string, value: FieldValue | undefined): FieldValue | undefined =>
  value !== undefined && HIDDEN_TARGETS.has(target) ? MASK : value;

const maskText = (text: string | undefined): string | undefined => (text === undefined ? undefined : MASK);
