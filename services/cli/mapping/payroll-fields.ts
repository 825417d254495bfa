import type { Form } from '../../../libs/core/events/field.ts';
import { paymentMade } from '../../../libs/core/events/paye-events.ts';

/** What a column can hold of a payment: a field of the event, or a member of one of its records, by its name with a dot. */
export type PayrollFieldForm =
  | { readonly kind: 'text' | 'date' | 'flag' | 'whole' | 'pence' }
  /** Pence under the payment's own letter of Class 1 NICs, in a member of that name. */
  | { readonly kind: 'penceOfLetter' }
  | { readonly kind: 'code'; readonly codes: readonly string[] };

/** Fields that the gateway makes, or that the door names otherwise. */
const NOT_SENT: ReadonlySet<string> = new Set(['eventId', 'account', 'receivedAtMs', 'person']);
const TEXT = { kind: 'text' } as const;

/** Every field of a payment that a file can give, by the name that a mapping says. */
export const PAYROLL_FIELDS: ReadonlyMap<string, PayrollFieldForm> = new Map([
  ['payeReference', TEXT],
  ['nino', TEXT],
  ...Object.entries(paymentMade.fields)
    .filter(([name]) => !NOT_SENT.has(name))
    .flatMap(([name, field]) => formsOf(name, field.form)),
]);

function formsOf(name: string, form: Form): [string, PayrollFieldForm][] {
  switch (form.kind) {
    case 'nullable':
      return formsOf(name, form.of);
    case 'record':
      return Object.entries(form.fields).flatMap(([inner, field]) => formsOf(`${name}.${inner}`, field.form));
    case 'whole':
      return [[name, { kind: name.endsWith('Pence') ? 'pence' : 'whole' }]];
    case 'code':
      return [[name, { kind: 'code', codes: form.codes }]];
    case 'text':
    case 'date':
    case 'flag':
      return [[name, { kind: form.kind }]];
    case 'hex':
    case 'account':
    case 'list':
      return [];
    case 'map':
      return name.endsWith('ByLetter') ? [[name, { kind: 'penceOfLetter' }]] : [];
  }
}
