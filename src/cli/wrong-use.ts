/** What was typed cannot be done as it stands; the message says what can. */
export class WrongUse extends Error {}
