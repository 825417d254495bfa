import { type Request, type Response, Router } from 'express';
import {
  accountNotYours,
  assertActsFor,
  clientOf,
  everybody,
  requireClient,
} from '../../../libs/adapters/access/bearer.ts';
import { type ClientRegistry, mayActFor } from '../../../libs/adapters/access/clients.ts';
import { encodePullAnswer } from '../../../libs/adapters/codec/pull-answer.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import type { EventStream } from '../../../libs/adapters/server/event-stream.ts';
import { jsonBody } from '../../../libs/adapters/server/request-body.ts';
import { fromBase64 } from '../../../libs/core/encoding/base64.ts';
import { toHex } from '../../../libs/core/encoding/hex.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { StoredChain } from '../store/ledger-records.ts';
import { answerPull, type ReadPullDependencies, servedCheckpoint } from './answer-pull.ts';
import type { AcknowledgementDoor } from './append-acknowledgements.ts';
import { listChanges } from './list-changes.ts';
import { PULL_LIMITS } from './pull-limits.ts';
import {
  acknowledgementBody,
  blocksQuery,
  chainParameters,
  changesQuery,
  consistencyQuery,
  inForm,
  pullBody,
  registrationBody,
  registrationsBody,
} from './request-bodies.ts';

export interface ServeLedgerDependencies extends ReadPullDependencies {
  readonly clients: ClientRegistry;
  readonly door: AcknowledgementDoor;
  readonly stream: EventStream;
}

/** The ledger's HTTP interface (docs/http-api.md). Everything it gives was read back from blocks.v1 and stands under a served checkpoint. */
export function ledgerRouter(dependencies: ServeLedgerDependencies): Router {
  const router = Router();
  const client = requireClient(dependencies, 'payer');
  router.post('/ledger/v1/chains', client, ...jsonBody, (request, response) =>
    register(request, response, dependencies),
  );
  router.post('/ledger/v1/chain-registrations', client, ...jsonBody, (request, response) =>
    registerMany(request, response, dependencies),
  );
  router.post('/ledger/v1/pull', client, ...jsonBody, (request, response) => pull(request, response, dependencies));
  router.get('/ledger/v1/changes', client, (request, response) => changes(request, response, dependencies));
  router.get('/ledger/v1/chains/:chain/blocks', client, (request, response) => blocks(request, response, dependencies));
  router.post('/ledger/v1/acknowledgements', client, ...jsonBody, (request, response) =>
    acknowledge(request, response, dependencies),
  );
  router.get('/ledger/v1/checkpoint', everybody, (_request, response) => checkpoint(response, dependencies));
  const auditor = requireClient(dependencies, 'payer', 'operator', 'analyst');
  router.get('/ledger/v1/consistency', auditor, (request, response) => consistency(request, response, dependencies));
  router.get('/ledger/v1/stream', client, (request, response) => dependencies.stream.serve(request, response));
  return router;
}

async function register(request: Request, response: Response, dependencies: ServeLedgerDependencies): Promise<void> {
  const { account, verifierKey, proof } = inForm(registrationBody, request.body);
  assertActsFor(response, account);
  const { door, identity } = dependencies;
  if (verifierKey !== undefined) await door.registerKey(account, verifierKey, proof ?? null);
  const { chain, chainKey } = door.chainOf(account);
  const ledger = { name: identity.name, verifierKey: identity.verifierKey, origin: identity.origin };
  response.json({ account, chain, chainKey: base64(chainKey), ledger });
}

/** Many accounts in one request: what is refused for one stands in its place, and holds up no other. */
async function registerMany(
  request: Request,
  response: Response,
  dependencies: ServeLedgerDependencies,
): Promise<void> {
  const { accounts, verifierKey, proofs } = inForm(registrationsBody, request.body);
  const { door, identity } = dependencies;
  const client = clientOf(response);
  const own = new Map<Account, string | null>();
  for (const [index, account] of accounts.entries()) {
    if (mayActFor(client, account)) own.set(account, proofs?.[index] ?? null);
  }
  const refused = verifierKey === undefined ? null : await door.registerKeys(own, verifierKey);
  const chains = accounts.map((account) => {
    const problem = mayActFor(client, account) ? refused?.get(account) : accountNotYours();
    if (problem !== undefined) return { account, code: problem.code, detail: problem.message };
    const { chain, chainKey } = door.chainOf(account);
    return { account, chain, chainKey: base64(chainKey) };
  });
  const ledger = { name: identity.name, verifierKey: identity.verifierKey, origin: identity.origin };
  response.json({ ledger, chains });
}

async function pull(request: Request, response: Response, dependencies: ServeLedgerDependencies): Promise<void> {
  const body = inForm(pullBody, request.body);
  const chains = body.chains.map(({ chain, from, rejectionsFrom }) => ({
    chain,
    from,
    rejectionsFrom: rejectionsFrom ?? null,
  }));
  const maxBytes = Math.min(body.maxBytes ?? PULL_LIMITS.bytesDefault, PULL_LIMITS.bytesMax);
  const chainById = (chain: string): StoredChain | undefined => chainFor(response, chain, dependencies);
  const answer = await answerPull({ chains, verified: body.verified, maxBytes }, { ...dependencies, chainById });
  response.set({ 'Content-Type': 'avro/binary', 'Cache-Control': 'no-store' }).send(encodePullAnswer(answer));
}

async function changes(request: Request, response: Response, dependencies: ServeLedgerDependencies): Promise<void> {
  const { from } = inForm(changesQuery, request.query);
  const client = clientOf(response);
  const mayHave = (account: Account): boolean => mayActFor(client, account);
  response.json(await listChanges(from, { store: dependencies.store, mayHave }));
}

/** One chain as JSON; what stands under its ETag never changes. */
async function blocks(request: Request, response: Response, dependencies: ServeLedgerDependencies): Promise<void> {
  const { chain } = inForm(chainParameters, request.params);
  const { from, verified } = inForm(blocksQuery, request.query);
  const stored = chainFor(response, chain, dependencies);
  if (stored === undefined) throw new HttpProblem(404, 'CHAIN_UNKNOWN', 'no chain has this id');
  const wanted = { chains: [{ chain, from, rejectionsFrom: null }], verified, maxBytes: PULL_LIMITS.bytesDefault };
  const answer = await answerPull(wanted, { ...dependencies, chainById: () => stored });
  const pulled = answer.chains[0];
  if (pulled?.fault != null) throw new HttpProblem(503, pulled.fault, "HMRC's copy of this chain waits for repair");
  const last = pulled?.blocks[pulled.blocks.length - 1];
  if (last !== undefined) {
    const etag = `"${base64(dependencies.crypto.hashes.sha256(last.header))}"`;
    response.set({ ETag: etag, 'Cache-Control': 'private, no-cache' });
    if (request.get('if-none-match') === etag) {
      response.status(304).end();
      return;
    }
  }
  response.json({
    chain,
    checkpoint: answer.checkpoint,
    consistency: answer.consistency.map(base64),
    blocks: (pulled?.blocks ?? []).map(({ header, totals, entries }) => ({
      header: header.toString('utf8'),
      totals: totals.toString('utf8'),
      entries: entries.map(base64),
    })),
    more: pulled?.more ?? false,
    inclusion:
      pulled?.inclusion == null ? null : { index: pulled.inclusion.index, path: pulled.inclusion.path.map(base64) },
  });
}

async function acknowledge(request: Request, response: Response, dependencies: ServeLedgerDependencies): Promise<void> {
  const { note, heads } = inForm(acknowledgementBody, request.body);
  const chains: StoredChain[] = [];
  const known = heads.map(({ chain, seq, blockHash }, index) => {
    const stored = chainFor(response, chain, dependencies);
    if (stored === undefined) {
      const fault = { code: 'HEAD_UNKNOWN', pointer: `/heads/${index}/chain`, detail: 'no chain has this id' };
      throw new HttpProblem(422, 'HEAD_UNKNOWN', 'the ledger has no such chain', { faults: [fault] });
    }
    chains.push(stored);
    return { account: stored.account, chain, seq, blockHash: hashOf(blockHash, index) };
  });
  await dependencies.door.acknowledge(note, known, chains);
  response.status(202).json({ heads: known.length });
}

function checkpoint(response: Response, dependencies: ServeLedgerDependencies): void {
  const served = servedCheckpoint(dependencies.store);
  if (served === null) throw new HttpProblem(404, 'CHECKPOINT_NONE', 'the ledger has signed nothing yet');
  response.set({ 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }).send(served.note);
}

function consistency(request: Request, response: Response, dependencies: ServeLedgerDependencies): void {
  const { from, to } = inForm(consistencyQuery, request.query);
  const size = servedCheckpoint(dependencies.store)?.size ?? 0;
  if (from > to || to > size) {
    throw new HttpProblem(
      422,
      'SIZES_INVALID',
      `from is at most to, and to at most ${size}, the size of the checkpoint`,
    );
  }
  response.json({ from, to, proof: dependencies.store.tree.consistencyPath(from, to).map(base64) });
}

/** The chain where it has begun; refuses one of an account that is not the client's. */
function chainFor(response: Response, chain: string, dependencies: ServeLedgerDependencies): StoredChain | undefined {
  const stored = dependencies.store.committedChainById(chain);
  if (stored !== undefined) assertActsFor(response, stored.account);
  return stored;
}

function hashOf(text: string, index: number): string {
  try {
    return toHex(fromBase64(text, 32));
  } catch {
    const fault = { code: 'FIELD_INVALID', pointer: `/heads/${index}/blockHash`, detail: 'not 32 bytes of base64' };
    throw new HttpProblem(422, 'INPUT_INVALID', 'a block hash is not canonical base64', { faults: [fault] });
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
