/** The text of a message attribute of SQS. */
import * as z from 'zod';

/** Both forms in which AWS writes it: in Lambda's event, and in the answer to ReceiveMessage. */
export const attributeText = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ StringValue: z.string() }).transform(({ StringValue }) => StringValue),
]);
