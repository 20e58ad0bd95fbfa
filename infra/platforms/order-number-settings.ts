/** The number of an order, written back to the cart in SRM. */
import * as z from 'zod';

export const orderNumbers = z.strictObject({
  path: z
    .string()
    .regex(/^\/[\w./$()'={}-]{1,200}$/, "must be a path with {cart}, such as /ShoppingCarts('{cart}')")
    .refine((path) => path.includes('{cart}'), 'must hold {cart}, the place of the cart number')
    .describe('The path of a cart below the extraction service of SRM; `{cart}` is the number of the cart.'),
  method: z
    .enum(['PATCH', 'POST'])
    .default('PATCH')
    .describe('How SRM takes the numbers; `POST`: as a MERGE in a POST, where a gateway lets no PATCH through.'),
  property: z
    .string()
    .regex(/^[A-Za-z]\w{0,63}$/, 'must be the name of a property, such as ExternalOrderNumber')
    .default('ExternalOrderNumber')
    .describe('The property that takes the numbers of all orders of the cart, as one text such as `PO-1, PO-2`.'),
  maximumConcurrency: z.int().min(2).max(50).default(2).describe('So many carts are written to SRM at once, at most.'),
});
