/** The discard service: nothing listens there, and no other test is given its port. */
export const CLOSED_PORT = 9;
