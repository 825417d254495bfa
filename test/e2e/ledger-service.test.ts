import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeAcknowledgement } from '../../libs/adapters/codec/acknowledgement-codec.ts';
import type { PulledChain } from '../../libs/adapters/codec/pull-answer.ts';
import { olderEncodings } from '../../libs/adapters/codec/schema/single-object.ts';
import {
  NODE_HASHES,
  nodeEd25519Verify,
  nodeHkdfSha256,
  nodeHmacSha256,
  nodeSha256,
  nodeTreeHasher,
  noteSignerOfSeed,
  randomEd25519Seed,
} from '../../libs/adapters/crypto/node-crypto.ts';
import { ACKNOWLEDGEMENTS } from '../../libs/adapters/event-log/topics.ts';
import type { ChainRegistration, LedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { type Account, account } from '../../libs/core/identity/account.ts';
import { eventId } from '../../libs/core/identity/event-id.ts';
import { workingKeysOf } from '../../libs/core/ledger/entry/chain-keys.ts';
import { proveKey } from '../../libs/core/ledger/entry/key-registration.ts';
import { acknowledge, signAcknowledgement } from '../../libs/core/ledger/note/acknowledgement.ts';
import { openRejections } from '../../libs/core/ledger/note/rejections-note.ts';
import type { NoteSigner } from '../../libs/core/ledger/note/signed-note.ts';
import { parseVerifierKey, printVerifierKey, verifierKeyOf } from '../../libs/core/ledger/note/verifier-key.ts';
import { treeHasher } from '../../libs/core/ledger/tree/tree-hash.ts';
import type { ChainVerdict } from '../../libs/core/ledger/verify/verify-chain.ts';
import { type VerifiedCheckpoint, verifyCheckpoint } from '../../libs/core/ledger/verify/verify-checkpoint.ts';
import { LedgerStore } from '../../services/ledger/store/ledger-store.ts';
import { verifyChain } from '../oracles/verify-chain.ts';
import {
  ALL_ACCOUNTS_KEY,
  LedgerFixture,
  ONE_ACCOUNT,
  ONE_ACCOUNT_KEY,
  type RunningLedger,
} from '../support/ledger-fixture.ts';
import { paymentOf, randomId } from '../support/liability-source.ts';

const SHOP: Account = 'vat:123456727';
const PAYER = noteSignerOfSeed('payer-node-1', randomEd25519Seed());
const PAYER_KEY = printVerifierKey(PAYER.key);

let fixture: LedgerFixture;

/** The proof that PAYER, or another signer, has the key that it registers for the account's chain. */
async function proofOf(client: LedgerClient, account: Account, signer: NoteSigner = PAYER): Promise<string> {
  const { chain, ledger } = await client.registerChain({ account });
  return proveKey({ ledgerName: ledger.name, chain, account }, signer);
}

async function registerPayer(client: LedgerClient, account: Account): Promise<ChainRegistration> {
  return client.registerChain({ account, verifierKey: PAYER_KEY, proof: await proofOf(client, account) });
}

beforeEach(async () => {
  fixture = await LedgerFixture.open();
});

afterEach(() => fixture.close());

/** What a payer's node checks, with core alone. */
function follow(registration: ChainRegistration, pulled: PulledChain, note: string, head: ChainVerdict['head']) {
  const { tagKey } = workingKeysOf(registration.chainKey, nodeHkdfSha256);
  const { name, verifierKey, origin } = registration.ledger;
  const { account, chain } = registration;
  return verifyChain(
    {
      followed: { ledgerName: name, ledgerVerifierKey: verifierKey, account, chain, tagKey },
      state: { head, checkpoint: null },
      page: { blocks: pulled.blocks, place: pulled.inclusion },
      checkpoint: { note, consistency: [] },
      log: { origin, keys: [parseVerifierKey(verifierKey)] },
    },
    { hashes: NODE_HASHES, hmac: nodeHmacSha256, verify: nodeEd25519Verify },
  );
}

/** Pulls until there is no more, verifying each page upon the one before. */
async function pullAll(running: RunningLedger, registration: ChainRegistration, maxBytes = 1_000_000) {
  const { chain } = registration;
  let head: ChainVerdict['head'] = null;
  let checkpoint: VerifiedCheckpoint | null = null;
  let pages = 0;
  const blocks: PulledChain['blocks'][number][] = [];
  for (;;) {
    const from = head === null ? 0 : head.seq + 1;
    const answer = await running.client.pull({ chains: [{ chain, from }], verified: 0, maxBytes });
    const pulled = answer.chains[0];
    if (pulled === undefined || answer.checkpoint === null) throw new Error('nothing was pulled');
    const verdict = follow(registration, pulled, answer.checkpoint, head);
    expect(verdict.findings).toEqual([]);
    head = verdict.head;
    checkpoint = verdict.checkpoint;
    blocks.push(...pulled.blocks);
    pages += 1;
    if (!pulled.more) return { blocks, head, checkpoint, pages };
  }
}

const rejection = (account: Account, code: string) => ({
  account,
  eventId: eventId(randomId()),
  code,
  facts: { why: 'a test' },
  receivedAtMs: 1,
});

async function dump(store: string): Promise<readonly string[]> {
  const ledgerName = fixture.keys.ledgerName;
  const opened = new LedgerStore({ folder: store, ledgerName }, { hasher: nodeTreeHasher, sha256: nodeSha256 });
  const lines = [...opened.dump()]
    // Where the reading of rejections stands is no part of the fold of blocks.v1.
    .filter(([name]) => name !== 'rejection-positions')
    .map(([name, key, value]) => `${name} ${JSON.stringify(key)} ${Buffer.from(String(value)).toString('base64')}`);
  await opened.close();
  return lines;
}

describe('what the ledger makes of decisions', () => {
  it('makes an entry of every decision and signs what it read back', async () => {
    const running = await fixture.start();
    await fixture.source.decide([
      { account: ONE_ACCOUNT },
      { account: SHOP },
      { account: ONE_ACCOUNT },
      paymentOf(ONE_ACCOUNT, 50_000),
    ]);
    const checked = await fixture.sealed(running, 4);
    expect(checked).toMatchObject({ accounts: 2, entries: 4, inFlight: 0, ignoredMessages: 0 });
    expect(checked.chargesPence).toBe(2 * (29_040 + 11_616) + 2_000);
    expect(checked.paymentsPence).toBe(50_000);
    expect(checked.signedLeaves).toBe(checked.blocks);
  });

  it('takes no message that is not the next link of liabilities.v1', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.source.decideInvalid([{ account: ONE_ACCOUNT }]);
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    expect((await fixture.sealed(running, 2)).entries).toBe(2);
    await running.stop();
    const again = await fixture.start();
    await fixture.source.decideInvalid([{ account: ONE_ACCOUNT }]);
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    expect((await fixture.sealed(again, 3)).entries).toBe(3);
  });

  it('closes a block at 512 entries, at a change of rules, of period and of year', async () => {
    const running = await fixture.start({ sealLimits: { payeAgeMs: 60_000 } });
    await fixture.source.decide(Array.from({ length: 600 }, () => ({ account: ONE_ACCOUNT })));
    fixture.source.payeRulesHash = 'dd'.repeat(32);
    await fixture.source.decide([
      { account: ONE_ACCOUNT },
      { account: ONE_ACCOUNT, taxPeriod: '2026-27/M09' },
      { account: ONE_ACCOUNT, taxPeriod: '2027-28/M01' },
    ]);
    // All but the last, which nothing closes but being asked to.
    await expect.poll(() => running.ledger.stats().leaves).toBe(5);
    running.ledger.closeOpenBlocks();
    await fixture.sealed(running, 603);
    const registration = await running.client.registerChain({ account: ONE_ACCOUNT });
    const { blocks } = await pullAll(running, registration);
    const closed = blocks.map(({ header, entries }) => [/closed \S+ (\S+)/.exec(header)?.[1], entries.length]);
    expect(closed).toEqual([
      ['key', 1],
      ['size', 512],
      ['rules', 88],
      ['period', 1],
      ['year', 1],
      ['demand', 1],
    ]);
  });

  it('closes open blocks on demand', async () => {
    const running = await fixture.start({ sealLimits: { payeAgeMs: 60_000 } });
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    while (running.ledger.stats().openBlocks === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    running.ledger.closeOpenBlocks();
    const registration = await running.client.registerChain({ account: ONE_ACCOUNT });
    await fixture.sealed(running, 1);
    const { blocks } = await pullAll(running, registration);
    expect(blocks.at(-1)?.header).toMatch(/ demand\n/);
  });

  it.each([
    ['NUMBER_GAP', 5],
    ['NUMBER_REPEATED', 1],
  ])('halts loudly with %s where the next decision of an account is numbered %i', async (code, number) => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: ONE_ACCOUNT }]);
    await fixture.sealed(running, 2);
    fixture.source.setNextNumber(ONE_ACCOUNT, number);
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await expect.poll(() => running.ledger.stats().stage.partitions[0]?.haltCode).toBe(code);
    expect(() => running.ledger.assertReady()).toThrow(expect.objectContaining({ code: 'LEDGER_HALTED' }));
    await running.stop();
    await fixture.log.close();
    await rm(fixture.folder, { recursive: true });
    fixture = await LedgerFixture.open();
  });
});

describe('what a payer gets', () => {
  it('is verified by core alone, page by page', async () => {
    const running = await fixture.start();
    for (let round = 1; round <= 6; round += 1) {
      await fixture.source.decide(Array.from({ length: 20 }, () => ({ account: ONE_ACCOUNT })));
      await fixture.sealed(running, 20 * round);
    }
    const registration = await running.client.registerChain({ account: ONE_ACCOUNT });
    const whole = await pullAll(running, registration);
    const paged = await pullAll(running, registration, 3_000);
    expect(whole.pages).toBe(1);
    expect(paged.pages).toBeGreaterThan(3);
    expect(paged.blocks).toEqual(whole.blocks);
    expect(whole.head).toMatchObject({ lastDecision: 120, chargesSince0Pence: 120 * (29_040 + 11_616) });
  });

  it('is consistent with every checkpoint that it verified before', async () => {
    const running = await fixture.start();
    const { chain, ledger } = await running.client.registerChain({ account: ONE_ACCOUNT });
    const seen: { readonly size: number; readonly note: string }[] = [];
    for (let round = 1; round <= 5; round += 1) {
      await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
      await fixture.sealed(running, 2 * round);
      const note = (await running.client.checkpoint()) ?? '';
      seen.push({ size: Number(note.split('\n')[1]), note });
    }
    const log = { origin: ledger.origin, keys: [parseVerifierKey(ledger.verifierKey)] };
    const deps = { verify: nodeEd25519Verify, tree: nodeTreeHasher };
    for (const { size, note } of seen) {
      const first = verifyCheckpoint({ note, consistency: [] }, null, log, deps);
      const answer = await running.client.pull({ chains: [{ chain, from: 0 }], verified: size });
      const offered = { note: answer.checkpoint ?? '', consistency: answer.consistency };
      expect(first.ok && verifyCheckpoint(offered, first.checkpoint, log, deps).ok, `from ${size}`).toBe(true);
      const newest = seen.at(-1)?.size ?? 0;
      expect(await running.client.consistency(size, newest)).toEqual(answer.consistency);
    }
    await expect(running.client.pull({ chains: [{ chain, from: 0 }], verified: 1_000_000 })).rejects.toMatchObject({
      code: 'LEDGER_REFUSED',
      facts: { status: 409, code: 'VERIFIED_AHEAD' },
    });
  });

  it('has its rejected events under one signature, and the same cursor after the store was deleted', async () => {
    const running = await fixture.start();
    const wrong = [rejection(ONE_ACCOUNT, 'E_ONE'), rejection(SHOP, 'E_TWO'), rejection(ONE_ACCOUNT, 'E_THREE')];
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }], wrong.slice(0, 2));
    await fixture.source.decide([], wrong.slice(2));
    await fixture.sealed(running, 2);
    const chains = await Promise.all(
      [ONE_ACCOUNT, SHOP].map(async (account) => (await running.client.registerChain({ account })).chain),
    );
    const pull = (owner: RunningLedger, rejectionsFrom: number) =>
      owner.client.pull({ chains: chains.map((chain) => ({ chain, from: 0, rejectionsFrom })), verified: 0 });
    await expect.poll(async () => (await pull(running, 0)).chains[0]?.rejections.length).toBe(2);
    const answer = await pull(running, 0);
    const given = answer.chains.flatMap((one, index) =>
      one.rejections.map(({ eventId: id, code }) => ({
        account: index === 0 ? ONE_ACCOUNT : SHOP,
        eventId: id,
        code,
      })),
    );
    expect(given.map(({ code }) => code)).toEqual(['E_ONE', 'E_THREE', 'E_TWO']);
    const expected = { ledgerName: fixture.keys.ledgerName, keys: [fixture.keys.signer.key] };
    expect(openRejections(answer.rejectionsNote ?? '', given, expected, nodeEd25519Verify).eventCount).toBe(3);
    expect(answer.chains[0]).toMatchObject({ rejectionsNext: 2, moreRejections: false });
    await running.stop();
    await rm(join(fixture.folder, 'main', 'ledger', 'store'), { recursive: true });
    const again = await fixture.start();
    await expect.poll(async () => (await pull(again, 1)).chains[0]?.rejections).toMatchObject([{ code: 'E_THREE' }]);
    expect((await pull(again, 2)).rejectionsNote).toBeNull();
  });

  it('is told which of its own chains grew in a part of the log, and of no other', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
    await fixture.sealed(running, 2);
    const chainOf = async (account: Account): Promise<string> =>
      (await running.client.registerChain({ account })).chain;
    const [one, shop] = [await chainOf(ONE_ACCOUNT), await chainOf(SHOP)];
    const first = await running.client.changes(0);
    expect(first).toMatchObject({ to: first.size });
    expect([...first.chains].sort()).toEqual([one, shop].sort());
    expect(await running.client.changes(first.size)).toEqual({ to: first.size, size: first.size, chains: [] });
    await fixture.source.decide([{ account: SHOP }]);
    await fixture.sealed(running, 3);
    const second = await running.client.changes(first.size);
    expect(second.chains).toEqual([shop]);
    expect(second.size).toBeGreaterThan(first.size);
    expect((await fixture.clientOf(running.url, ONE_ACCOUNT_KEY).changes(0)).chains).toEqual([one]);
    expect((await running.client.changes(1_000_000)).chains).toEqual([]);
  });

  it('is told of each checkpoint by the stream', async () => {
    const running = await fixture.start();
    const stop = new AbortController();
    const sizes: number[] = [];
    const following = running.client.follow({ signal: stop.signal, onCheckpoint: (size) => sizes.push(size) });
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    const { signedLeaves } = await fixture.sealed(running, 1);
    await expect.poll(() => sizes.at(-1)).toBe(signedLeaves);
    stop.abort();
    await following;
  });

  it('is the account of the client alone', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
    await fixture.sealed(running, 2);
    const shop = await running.client.registerChain({ account: SHOP });
    const mine = fixture.clientOf(running.url, ONE_ACCOUNT_KEY);
    const refused = { code: 'LEDGER_REFUSED', facts: { status: 403, code: 'ACCOUNT_NOT_YOURS' } };
    await expect(mine.registerChain({ account: SHOP })).rejects.toMatchObject(refused);
    await expect(mine.pull({ chains: [{ chain: shop.chain, from: 0 }], verified: 0 })).rejects.toMatchObject(refused);
    const own = await mine.registerChain({ account: ONE_ACCOUNT });
    expect((await mine.pull({ chains: [{ chain: own.chain, from: 0 }], verified: 0 })).chains[0]?.blocks.length).toBe(
      2,
    );
    const unknown = fixture.clientOf(running.url, 'not-a-key');
    await expect(unknown.consistency(0, 1)).rejects.toMatchObject({ facts: { status: 401, code: 'KEY_UNKNOWN' } });
  });

  it('is one chain as JSON with an ETag that holds until the chain grows', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(running, 1);
    const { chain } = await running.client.registerChain({ account: ONE_ACCOUNT });
    const headers = { authorization: `Bearer ${ALL_ACCOUNTS_KEY}` };
    const address = `${running.url}/ledger/v1/chains/${chain}/blocks?from=0&verified=0`;
    const first = await fetch(address, { headers });
    const etag = first.headers.get('etag') ?? '';
    const body = (await first.json()) as { readonly blocks: readonly { readonly header: string }[] };
    expect(body.blocks).toHaveLength(2);
    const last = Buffer.from(body.blocks.at(-1)?.header ?? '');
    expect(etag).toBe(`"${Buffer.from(NODE_HASHES.sha256(last)).toString('base64')}"`);
    expect((await fetch(address, { headers: { ...headers, 'if-none-match': etag } })).status).toBe(304);
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(running, 2);
    expect((await fetch(address, { headers: { ...headers, 'if-none-match': etag } })).status).toBe(200);
  });

  it.each([
    ['chains', { account: 'nobody' }, ['/account']],
    ['pull', { chains: [{ chain: 'x', from: -1 }], verified: 1.5 }, ['/chains/0/chain', '/chains/0/from', '/verified']],
    ['acknowledgements', { note: 'x', heads: [] }, ['/heads']],
  ])('names every fault of a request to %s', async (path, body, pointers) => {
    const running = await fixture.start();
    const response = await fetch(`${running.url}/ledger/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ALL_ACCOUNTS_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const problem = (await response.json()) as { readonly code: string; readonly faults: { pointer: string }[] };
    expect([response.status, problem.code]).toEqual([422, 'INPUT_INVALID']);
    expect(problem.faults.map(({ pointer }) => pointer)).toEqual(pointers);
  });
});

describe('what a payer sends', () => {
  /** A ledger that has sealed a decision of each of two accounts, and their heads as the payer pulled them. */
  async function withTwoHeads() {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
    const registrations = await Promise.all(
      [ONE_ACCOUNT, SHOP].map((account) => registerPayer(running.client, account)),
    );
    await fixture.sealed(running, 2);
    const pulled = await Promise.all(registrations.map((one) => pullAll(running, one)));
    const checkpoint = pulled[0]?.checkpoint;
    if (checkpoint == null) throw new Error('no checkpoint');
    return { running, checkpoint, heads: pulled.flatMap(({ head }) => (head === null ? [] : [head])) };
  }

  it('registers its key as an entry of its chain, once', async () => {
    const running = await fixture.start();
    await registerPayer(running.client, ONE_ACCOUNT);
    const registration = await registerPayer(running.client, ONE_ACCOUNT);
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(running, 1);
    const { blocks, head } = await pullAll(running, registration);
    expect(head?.lastDecision).toBe(1);
    const keyBlocks = blocks.filter(({ header }) => header.includes(' key\n'));
    expect(keyBlocks).toHaveLength(2);
    expect(Buffer.from(keyBlocks[1]?.entries.at(-1) ?? []).toString('latin1')).toContain(PAYER_KEY);
    const other = printVerifierKey(noteSignerOfSeed('another', randomEd25519Seed()).key);
    await expect(running.client.registerChain({ account: ONE_ACCOUNT, verifierKey: other })).rejects.toMatchObject({
      facts: { status: 409, code: 'PAYER_KEY_DIFFERS' },
    });
    const point = Buffer.from('01'.padEnd(64, '0'), 'hex');
    const smallOrder = printVerifierKey(verifierKeyOf('evil', point));
    await expect(running.client.registerChain({ account: SHOP, verifierKey: smallOrder })).rejects.toMatchObject({
      facts: { status: 422, code: 'PUBLIC_KEY_REFUSED', faults: [{ pointer: '/verifierKey' }] },
    });
  });

  it('registers its key for many accounts in one request, and hears which of them are refused', async () => {
    const running = await fixture.start();
    const mine = fixture.clientOf(running.url, ONE_ACCOUNT_KEY);
    const proofs = await Promise.all([SHOP, ONE_ACCOUNT].map((account) => proofOf(running.client, account)));
    const answer = await mine.registerChains({ accounts: [SHOP, ONE_ACCOUNT], verifierKey: PAYER_KEY, proofs });
    expect(answer.refused).toMatchObject([{ account: SHOP, code: 'ACCOUNT_NOT_YOURS' }]);
    expect(answer.registered.map(({ account }) => account)).toEqual([ONE_ACCOUNT]);
    const both = await running.client.registerChains({
      accounts: [ONE_ACCOUNT, SHOP],
      verifierKey: PAYER_KEY,
      proofs: proofs.toReversed(),
    });
    expect(both.refused).toEqual([]);
    expect(both.ledger).toEqual(answer.ledger);
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
    await fixture.sealed(running, 2);
    for (const registration of both.registered) {
      const { blocks } = await pullAll(running, registration);
      const keyBlocks = blocks.filter(({ header }) => header.includes(' key\n'));
      expect(keyBlocks, 'the key of the ledger and, once, that of the payer').toHaveLength(2);
      expect(await running.client.registerChain({ account: registration.account })).toEqual(registration);
    }
    const other = printVerifierKey(noteSignerOfSeed('another', randomEd25519Seed()).key);
    const late = await running.client.registerChains({ accounts: [ONE_ACCOUNT], verifierKey: other });
    expect(late.refused).toMatchObject([{ account: ONE_ACCOUNT, code: 'PAYER_KEY_DIFFERS' }]);
  });

  it('registers no key without a proof that it is its own, for this ledger, chain, account and key', async () => {
    const running = await fixture.start();
    const { chain, ledger } = await running.client.registerChain({ account: ONE_ACCOUNT });
    const about = { ledgerName: ledger.name, chain, account: ONE_ACCOUNT };
    const stranger = noteSignerOfSeed('payer-node-1', randomEd25519Seed());
    const elsewhere = await proofOf(running.client, SHOP);
    const proofs: [string, string | undefined, string][] = [
      ['none', undefined, 'KEY_PROOF_MISSING'],
      ['of another key', proveKey(about, stranger), 'KEY_PROOF_INVALID'],
      ['of another account', elsewhere, 'KEY_PROOF_INVALID'],
      ['of another ledger', proveKey({ ...about, ledgerName: 'tallystick-00000000' }, PAYER), 'KEY_PROOF_INVALID'],
      ['of another chain', proveKey({ ...about, chain: '0'.repeat(32) }, PAYER), 'KEY_PROOF_INVALID'],
      ['no note', 'x', 'KEY_PROOF_INVALID'],
    ];
    for (const [what, proof, code] of proofs) {
      const request = { account: ONE_ACCOUNT, verifierKey: PAYER_KEY, ...(proof === undefined ? {} : { proof }) };
      await expect(running.client.registerChain(request), what).rejects.toMatchObject({ facts: { status: 422, code } });
    }
    // The true payer is not refused for it.
    await registerPayer(running.client, ONE_ACCOUNT);
    const many = { accounts: [SHOP, ONE_ACCOUNT], verifierKey: PAYER_KEY };
    const { registered, refused } = await running.client.registerChains(many);
    expect(registered).toEqual([]);
    expect(refused.map(({ code }) => code)).toEqual(['KEY_PROOF_MISSING', 'KEY_PROOF_MISSING']);
    const wrongCount = running.client.registerChains({ ...many, proofs: ['x'] });
    await expect(wrongCount).rejects.toMatchObject({
      facts: { code: 'INPUT_INVALID', faults: [{ pointer: '/proofs' }] },
    });
  });

  it.each([
    ["the ledger's own", (ledger: string) => ledger],
    ["the gateway's", (ledger: string) => `${ledger}/gateway`],
    ['one that begins with it, in capitals', (ledger: string) => `${ledger.toUpperCase()}x`],
    ["a witness's", () => 'witness.example'],
    ['one with letters that look like others', () => 'pаyer'],
    ['one that is too long', () => 'x'.repeat(101)],
  ])('registers no key under a name that could be taken for another: %s', async (_what, nameFrom) => {
    const running = await fixture.start();
    const signer = noteSignerOfSeed(nameFrom(fixture.keys.ledgerName), randomEd25519Seed());
    const proof = await proofOf(running.client, SHOP, signer);
    const request = { account: SHOP, verifierKey: printVerifierKey(signer.key), proof };
    await expect(running.client.registerChain(request)).rejects.toMatchObject({
      facts: { status: 422, code: 'KEY_NAME_REFUSED', faults: [{ pointer: '/verifierKey' }] },
    });
  });

  it('registers out of the log what another process appended with a proof, and what an earlier release left there without one, alone', async () => {
    const first = await fixture.start();
    const accounts = [
      ONE_ACCOUNT,
      SHOP,
      ...['vat:100000008', 'vat:100000016', 'vat:100000024'].map((text) => account(text)),
    ];
    const chains = await Promise.all(accounts.map((one) => first.client.registerChain({ account: one })));
    await first.stop();
    const stranger = noteSignerOfSeed('payer-node-1', randomEd25519Seed());
    const record = ({ account: one, chain }: (typeof chains)[number], signer: NoteSigner | null) =>
      encodeAcknowledgement({
        type: 'KeyRegistered',
        eventId: eventId(randomId()),
        account: one,
        receivedAtMs: 1,
        chain,
        verifierKey: PAYER_KEY,
        proof: signer === null ? null : proveKey({ ledgerName: fixture.keys.ledgerName, chain, account: one }, signer),
      });
    const append = (...values: Buffer[]) =>
      fixture.log.append([
        { topic: ACKNOWLEDGEMENTS, partition: 0, records: values.map((value) => ({ key: null, value })) },
      ]);
    const [proven, before, after, forged, late] = chains;
    if (!proven || !before || !after || !forged || !late) throw new Error('five chains');
    // As the release before wrote it: without the field.
    const [old] = olderEncodings(record(before, null));
    if (old === undefined) throw new Error('there is an older release');
    await append(old);
    const running = await fixture.start();
    await vi.waitFor(() => running.ledger.assertReady(), { timeout: 10_000 });
    await append(record(proven, PAYER), record(after, null), record(forged, stranger), record(late, PAYER));
    await expect.poll(() => running.ledger.stats().leaves, { timeout: 10_000 }).toBeGreaterThanOrEqual(2 * 3 + 2);
    await fixture.source.decide(accounts.map((one) => ({ account: one })));
    await fixture.sealed(running, accounts.length);
    const keys = await Promise.all(
      chains.map(async (one) => {
        const { blocks } = await pullAll(running, one);
        return blocks.filter(({ header }) => header.includes(' key\n')).length - 1;
      }),
    );
    expect(keys).toEqual([1, 1, 0, 0, 1]);
  });

  it('is recorded when it countersigns heads of many chains, and only with its own key over blocks that are there', async () => {
    const { running, checkpoint, heads } = await withTwoHeads();
    const { text } = acknowledge(fixture.keys.ledgerName, checkpoint, heads, treeHasher);
    const wire = heads.map(({ chain, seq, blockHash }) => ({ chain, seq, blockHash: Buffer.from(blockHash, 'hex') }));
    const note = signAcknowledgement(text, PAYER);
    await running.client.acknowledge({ note, heads: wire });
    await running.client.acknowledge({ note, heads: wire });
    await expect.poll(async () => (await fixture.check(false)).acknowledgedHeads).toBe(2);
    await running.client.acknowledge({ note, heads: wire });
    const refusedAs = (code: string) => ({ code: 'LEDGER_REFUSED', facts: { status: 422, code } });
    const stranger = signAcknowledgement(text, noteSignerOfSeed('payer-node-1', randomEd25519Seed()));
    await expect(running.client.acknowledge({ note: stranger, heads: wire })).rejects.toMatchObject(
      refusedAs('NOTE_UNSIGNED'),
    );
    await expect(running.client.acknowledge({ note, heads: wire.slice(1) })).rejects.toMatchObject(
      refusedAs('ACKNOWLEDGEMENT_INVALID'),
    );
    const forged = wire.map((head) => ({ ...head, blockHash: Buffer.alloc(32, 1) }));
    await expect(running.client.acknowledge({ note, heads: forged })).rejects.toMatchObject(refusedAs('HEAD_UNKNOWN'));
    expect((await fixture.check(false)).acknowledgedHeads).toBe(2);
  });

  it('is recorded out of the log too, where no door of this process checked it, and a forged one there is not', async () => {
    const { running, checkpoint, heads } = await withTwoHeads();
    const records = heads.flatMap((head) => {
      const { text } = acknowledge(fixture.keys.ledgerName, checkpoint, [head], treeHasher);
      const note = signAcknowledgement(text, PAYER);
      const stranger = signAcknowledgement(text, noteSignerOfSeed('payer-node-1', randomEd25519Seed()));
      const event = { type: 'HeadsAcknowledged', eventId: eventId('ab'.repeat(16)), receivedAtMs: 1, note } as const;
      const forged = { ...head, blockHash: '01'.repeat(32) };
      return [
        encodeAcknowledgement({ ...event, note: stranger, heads: [head] }),
        encodeAcknowledgement({ ...event, heads: [forged] }),
        ...(head.account === SHOP ? [encodeAcknowledgement({ ...event, heads: [head] })] : []),
      ];
    });
    await fixture.log.append([
      { topic: ACKNOWLEDGEMENTS, partition: 0, records: records.map((value) => ({ key: null, value })) },
    ]);
    await expect.poll(async () => (await fixture.check(false)).acknowledgedHeads).toBe(1);
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(running, 3);
    expect((await fixture.check(false)).acknowledgedHeads, 'what stood before it in the log was refused').toBe(1);
  });
});

describe('the store, a cache of blocks.v1', () => {
  it('is folded again to the same bytes after it was deleted, and when an operator asks', async () => {
    const running = await fixture.start();
    const registration = await registerPayer(running.client, ONE_ACCOUNT);
    const leaves = () => running.ledger.stats().leaves;
    for (let round = 0; round < 40; round += 1) {
      const before = leaves();
      await fixture.source.decide(
        [{ account: ONE_ACCOUNT }, { account: SHOP }, { account: `vat:${100_000_000 + round}` }],
        round % 10 === 0 ? [rejection(ONE_ACCOUNT, 'E_ANY')] : [],
      );
      running.ledger.closeOpenBlocks();
      // A block for each, and a first one with the ledger's key for the new account.
      await expect.poll(leaves, { interval: 5 }).toBeGreaterThanOrEqual(before + 4);
    }
    const { entries, signedLeaves } = await fixture.sealed(running, 120);
    expect(entries).toBe(120);
    // More than one page of 32 seqs.
    const before = await pullAll(running, registration);
    expect(before.blocks.length).toBeGreaterThan(35);
    await running.stop();
    const store = join(fixture.folder, 'main', 'ledger', 'store');
    const first = await dump(store);
    await rm(store, { recursive: true });
    const again = await fixture.start();
    await expect.poll(() => again.ledger.stats().signedLeaves).toBe(signedLeaves);
    await expect.poll(async () => (await pullAll(again, registration)).blocks.length).toBe(before.blocks.length);
    expect((await pullAll(again, registration)).blocks).toEqual(before.blocks);
    await again.ledger.rebuild();
    expect((await pullAll(again, registration)).blocks).toEqual(before.blocks);
    const last = { chains: [{ chain: registration.chain, from: 0, rejectionsFrom: 3 }], verified: 0 };
    await expect.poll(async () => (await again.client.pull(last)).chains[0]?.rejections.length).toBe(1);
    await again.stop();
    expect(await dump(store)).toEqual(first);
  });

  it('that belongs to another ledger is refused', async () => {
    const folder = join(fixture.folder, 'other-store');
    await new LedgerStore({ folder, ledgerName: 'another' }, { hasher: nodeTreeHasher, sha256: nodeSha256 }).close();
    expect(
      () => new LedgerStore({ folder, ledgerName: 'mine' }, { hasher: nodeTreeHasher, sha256: nodeSha256 }),
    ).toThrow(expect.objectContaining({ code: 'STORE_OF_ANOTHER_LEDGER' }));
  });

  it('with a damaged block halts that chain alone, and is repaired by folding again', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
    await fixture.sealed(running, 2);
    const [one, shop] = await Promise.all(
      [ONE_ACCOUNT, SHOP].map((account) => running.client.registerChain({ account })),
    );
    if (one === undefined || shop === undefined) throw new Error('no chains');
    await running.stop();
    const env = open({ path: join(fixture.folder, 'main', 'ledger', 'store'), noSubdir: false, maxDbs: 16 });
    const blocks = env.openDB<Buffer, number>({ name: 'blocks', encoding: 'binary' });
    for (const { key, value } of [...blocks.getRange()]) {
      const at = value.indexOf('2026-27/M08');
      if (at < 0) continue;
      const rotten = Buffer.from(value);
      rotten.write('7', at + 10);
      blocks.putSync(key, rotten);
    }
    await env.close();
    const again = await fixture.start();
    const pull = () => again.client.pull({ chains: [one, shop].map(({ chain }) => ({ chain, from: 0 })), verified: 0 });
    const answer = await pull();
    expect(answer.chains[0]).toMatchObject({ fault: 'BLOCK_DAMAGED', blocks: [] });
    expect(answer.chains[1]).toMatchObject({ fault: null });
    expect(answer.chains[1]?.blocks).toHaveLength(2);
    await again.ledger.rebuild();
    expect((await pull()).chains[0]).toMatchObject({ fault: null });
    await pullAll(again, one);
  });
});
