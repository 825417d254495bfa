/** Api key of the protocol, behind the four bytes of a request's length. */
const PRODUCE = 0;
const API_KEY_AT = 4;

/** Whether bytes on their way to a broker begin a request that appends, to a topic where one is given. */
export function isAppend(request: Buffer, topic?: string): boolean {
  if (request.length < API_KEY_AT + 2 || request.readInt16BE(API_KEY_AT) !== PRODUCE) return false;
  return topic === undefined || request.includes(topic);
}
