/** The floor of the extractor: sends pages to the queue unchecked, and fetches the next page meanwhile. */
import { Agent, request } from 'node:http';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';

const agent = new Agent({ keepAlive: true });
const sqs = new SQSClient({});
const { SRM_BASE_URL: baseUrl = '', QUEUE_URL: QueueUrl = '' } = process.env;

interface Page {
  readonly d: { readonly results: readonly { readonly ObjectId: string }[]; readonly __next?: string };
}

function get(url: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      // oxlint-disable-next-line no-unsafe-type-assertion -- the floor trusts everything
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Page));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

async function send({ d }: Page): Promise<void> {
  const batches = Array.from({ length: Math.ceil(d.results.length / 10) }, (_, index) =>
    d.results.slice(index * 10, index * 10 + 10),
  );
  await Promise.all(
    batches.map((rows) =>
      sqs.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: rows.map((source, index) => ({ Id: String(index), MessageBody: JSON.stringify({ source }) })),
        }),
      ),
    ),
  );
}

export async function handler(): Promise<object> {
  let cartsQueued = 0;
  let next: Promise<Page> | undefined = get(`${baseUrl}/ShoppingCartSet`);
  while (next !== undefined) {
    const page: Page = await next;
    // oxlint-disable-next-line no-underscore-dangle -- a name of OData
    next = page.d.__next === undefined ? undefined : get(page.d.__next);
    await send(page);
    cartsQueued += page.d.results.length;
  }
  return { status: 'complete', cartsQueued };
}
