/** The ledger as a function reaches it on AWS: what the policy of its role does not allow is refused. */
import { type LedgerFunction, ledgerRequest, mayDo } from '../infra/ledger-rights.ts';
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';

/** Closing it fails where a call was refused: the code under test may have taken the refusal for an outage. */
export async function startLedgerOf(name: LedgerFunction, upstream: string): Promise<RecordingProxy> {
  const refused: string[] = [];
  const proxy = await startRecordingProxy(upstream, (call) => {
    const request = ledgerRequest(call);
    if (mayDo(name, request)) return undefined;
    refused.push(`${request.operation} on ${request.keys.join(', ')}`);
    return {
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', Message: refused.at(-1) }),
    };
  });
  return {
    ...proxy,
    async close() {
      await proxy.close();
      if (refused.length > 0) throw new Error(`The role of ${name} may not ${[...new Set(refused)].join('; ')}`);
    },
  };
}

const ENDPOINT = 'AWS_ENDPOINT_URL_DYNAMODB';

/** Runs what makes a function's first call: its client asks for the endpoint then, and keeps it. */
export async function withLedgerOf<Result>(
  { url }: Pick<RecordingProxy, 'url'>,
  run: () => Promise<Result>,
): Promise<Result> {
  const before = process.env[ENDPOINT];
  process.env[ENDPOINT] = url;
  try {
    return await run();
  } finally {
    process.env[ENDPOINT] = before;
  }
}
