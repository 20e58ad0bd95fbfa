/** The carts in an answer of OData V2, as a file or SRM's service holds it. */
import { asJsonObject } from '../shared/exact-json.ts';
import type { FieldNames } from '../shared/reading/field-names.ts';

/** The carts of an answer of OData V2; or else what the file holds instead. */
export function cartsOfPage(page: unknown, names: FieldNames): readonly unknown[] | string {
  const whole = asJsonObject(page);
  const d = whole?.['d'];
  const cart = asJsonObject(d);
  const results = Array.isArray(d) ? d : cart?.['results'];
  if (Array.isArray(results)) return results;
  if (cart !== undefined && ['Guid', 'ObjectId'].some((name) => names.ofCart(name) in cart)) return [cart];
  if (whole !== undefined && ('@odata.context' in whole || Array.isArray(whole['value']))) {
    return 'is an answer of OData V4: SRM 7 answers in OData V2, with the carts at d.results';
  }
  if (whole !== undefined && 'srm' in whole) return 'is an environment, not carts: it is for --env';
  if (Array.isArray(page)) return 'is a list without the envelope of OData V2: write { "d": { "results": [ ... ] } }';
  return 'is not an OData page: it has no list at d.results, and no cart at d';
}
