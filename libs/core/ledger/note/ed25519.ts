/** 32 random bytes from a good source, or as many as asked for. Core never makes its own. */
export type RandomBytes = (bytes: number) => Uint8Array;

/** The 64-byte Ed25519 signature of the message. */
export type Ed25519Sign = (message: Uint8Array) => Uint8Array;

/** True where the signature is good. False, never an error, for a key or signature of a wrong length or form. */
export type Ed25519Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

export const ED25519_PUBLIC_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;
