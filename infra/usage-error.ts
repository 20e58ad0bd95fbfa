/** What the user typed cannot be used: the message says which option, and what it takes. */
export class UsageError extends Error {
  constructor(message: string, command: string) {
    super(`${message}\nSee ${command} -- --help.`);
    this.name = 'UsageError';
  }
}
