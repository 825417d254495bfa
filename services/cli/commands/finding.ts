/** What `tally doctor` found in one of its checks. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}
