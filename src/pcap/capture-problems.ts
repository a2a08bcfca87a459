/** A stretch of a capture that could not be read as frames, summed up by reason. */
export interface CaptureProblem {
  readonly bytes: number;
  readonly reason: string;
}

/** Reasons are constants, so that a file of nothing but damage does not fill the memory with its description. */
export class CaptureProblems {
  private readonly bytesByReason = new Map<string, number>();

  add(bytes: number, reason: string): void {
    this.bytesByReason.set(reason, (this.bytesByReason.get(reason) ?? 0) + bytes);
  }

  list(): CaptureProblem[] {
    return [...this.bytesByReason].map(([reason, bytes]) => ({ bytes, reason }));
  }
}
