/** Translates the carts of an input with the settings of an environment, and prints what would become of them. */
import { createWireOrder } from '../../functions/create-purchase-orders/translation/wire-order.ts';
import { printableJson } from '../../shared/printable-text.ts';
import { namesOfService } from '../../shared/reading/field-names.ts';
import { stripZeros } from '../../shared/sap-values.ts';
import { type Environment, loadEnvironment } from '../environments.ts';
import { asCsv } from './as-csv.ts';
import { asHtml } from './as-html.ts';
import { asText } from './as-text.ts';
import { compareCarts } from './compare-carts.ts';
import { maskCart } from './mask.ts';
import type { PreviewOptions } from './options.ts';
import { type CartPreview, previewCart } from './preview-cart.ts';
import { type InputCart, inputName, readInput, UnusableInput } from './read-input.ts';
import { faultsOfCart, type Preview, summaryOf } from './summary.ts';

/** @param today in UTC. @throws {UnusableInput} */
export async function preview(options: PreviewOptions, today: string): Promise<Preview> {
  const environment = environmentOf(options.environment);
  const other = options.against === undefined ? undefined : environmentOf(options.against);
  const { srm, name } = environment;
  const input = await readInput(options.input, namesOfService(srm));
  const chosen = options.cart === undefined ? undefined : options.cart;
  const translated = input.carts
    .map((cart) => ({ cart, here: previewWith(environment, cart) }))
    .filter(({ here }) => chosen === undefined || isNamed(here, chosen));
  if (chosen !== undefined && translated.length === 0)
    throw new UnusableInput(noSuchCart(chosen, options.input, input.carts.length));

  function previewWith({ translation, vms }: Environment, { source, envelope }: InputCart): CartPreview {
    const cart = previewCart(
      source,
      { client: srm.client, settings: translation, wire: createWireOrder(vms), today },
      envelope,
    );
    return options.isMasked ? maskCart(cart) : cart;
  }
  const differences = (there: Environment) =>
    translated.flatMap(({ cart, here }) => compareCarts(here, previewWith(there, cart)) ?? []);
  return {
    input: inputName(options.input),
    environment: name,
    client: srm.client,
    today,
    isMasked: options.isMasked,
    notes: [
      ...input.notes,
      ...foreignNames(
        translated.map(({ here }) => here),
        srm.fields['ObjectId'],
      ),
    ],
    carts: translated.map(({ here }) => here),
    ...(other === undefined
      ? {}
      : { against: { environment: otherName(other, name), differences: differences(other) } }),
  };
}

/** @throws {UnusableInput} */
function environmentOf(nameOrFile: string): Environment {
  try {
    return loadEnvironment(nameOrFile);
  } catch (error) {
    throw new UnusableInput(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Two files may have the same name inside, as a file and its changed copy have. */
const otherName = ({ name }: Environment, own: string): string => (name === own ? `the other ${name}` : name);

/** A page of another landscape breaks the contract in each cart, and none of these faults says why. */
const foreignNames = (carts: readonly CartPreview[], name = 'ObjectId'): readonly string[] =>
  carts.length > 0 && carts.every(({ number }) => number === undefined)
    ? [
        `no cart has a number under the name ${name}: --env names the entry whose srm.fields and srm.keyProperty fit this SRM`,
      ]
    : [];

const isNamed = ({ number, guid }: CartPreview, chosen: string): boolean =>
  (number === undefined ? undefined : stripZeros(number)) === chosen || guid === chosen;

const noSuchCart = (chosen: string, input: string, count: number): string =>
  `${inputName(input)} holds no cart ${chosen}, but ${count} other${count === 1 ? '' : 's'}. Leave --cart out for a summary.`;

/** @param width of the terminal, in characters */
export function print(shown: Preview, format: PreviewOptions['format'], width: number): string {
  switch (format) {
    case 'text':
      return asText(shown, width);
    case 'json':
      return `${printableJson({ ...shown, summary: summaryOf(shown.carts) })}\n`;
    case 'csv':
      return asCsv(shown);
    case 'html':
      return asHtml(shown);
  }
}

/** Also those that only the other environment brings. */
export const hasFaults = ({ carts, against }: Preview): boolean =>
  carts.some((cart) => faultsOfCart(cart).length > 0) ||
  (against?.differences.some(({ faultsOnlyThere }) => faultsOnlyThere.length > 0) ?? false);
