/** What failed was following a job, not the job. `cause` says why. */
export class JobGoesOn extends Error {
  readonly id: string;

  constructor(id: string, cause: unknown) {
    super(`the job ${id} could not be followed`, { cause });
    this.id = id;
  }
}
