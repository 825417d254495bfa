import type { Draft } from '../../../libs/adapters/submissions/submissions.ts';
import type { PersonToken } from '../../../libs/core/identity/event-id.ts';

/** A draft that its client may send, with the token of its person. */
export interface PreparedEvent {
  readonly draft: Draft;
  readonly person: PersonToken | null;
}
