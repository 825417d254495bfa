const { charCodeAt } = String.prototype;

/**
 * The UTF-16 code of a character of a text, in loops over the characters of texts from anywhere. As a method of the text itself, V8 looks
 * the method up anew for each character once texts of more than four kinds (read, joined, cut out, used as a key …) have come by: that
 * was a seventh of tax's processor time.
 */
export function codeAt(text: string, index: number): number {
  return charCodeAt.call(text, index);
}
