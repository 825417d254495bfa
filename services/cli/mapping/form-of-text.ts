const SHOWN_MAX = 24;

/** How a value is written, without what it says, since it may be of a person: digits as 9, letters as a, cut short. */
export function formOfText(text: string): string {
  const form = text.replace(/\p{Nd}/gu, '9').replace(/\p{L}/gu, 'a');
  return form.length > SHOWN_MAX ? `${form.slice(0, SHOWN_MAX)}…` : form;
}
