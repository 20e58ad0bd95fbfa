/** After what time a simulated service answers: both systems, and DynamoDB and SQS as AWS does. */
export const SYSTEM_DELAY_MS = 20;
export const TABLE_DELAY_MS = 3;
export const QUEUE_DELAY_MS = 10;
