/** Following a job failed; the job itself continues. `cause` says why. */
export class JobGoesOn extends Error {
  readonly id: string;

  constructor(id: string, cause: unknown) {
    super(`the job ${id} could not be followed`, { cause });
    this.id = id;
  }
}
