/** What the handlers without validation, mapping, log and retry have in common: an order, a token, and a call over HTTP. */
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });
const { VMS_BASE_URL: baseUrl = '', VMS_TOKEN_URL: tokenUrl = '' } = process.env;
let token: Promise<string> | undefined;

export function call(method: 'GET' | 'POST', url: string, body?: string, headers = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

interface Row {
  readonly ObjectId: string;
  readonly Currency: string;
  readonly Items: { readonly results: readonly Record<string, string>[] };
}

export interface BareOrder {
  readonly externalId: string;
  readonly body: string;
}

export function orderOf(message: string): BareOrder {
  // oxlint-disable-next-line no-unsafe-type-assertion -- a bare handler trusts everything
  const { source } = JSON.parse(message) as { source: Row };
  const externalId = `SRM7-100-${source.ObjectId}`;
  const lines = source.Items.results.map((item) => ({
    number: item['NumberInt'],
    text: item['Description'],
    price: item['Price'],
  }));
  return { externalId, body: JSON.stringify({ externalId, currency: source.Currency, lines }) };
}

export async function postOrder({ body }: BareOrder): Promise<string> {
  token ??= call('POST', tokenUrl, 'grant_type=client_credentials').then((answer) => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- a bare handler trusts everything
    return (JSON.parse(answer) as { access_token: string }).access_token;
  });
  const headers = { authorization: `Bearer ${await token}`, 'content-type': 'application/json' };
  return call('POST', `${baseUrl}/purchase-orders`, body, headers);
}
