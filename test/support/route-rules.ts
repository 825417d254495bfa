import type { ClientRole } from '../../libs/adapters/access/clients.ts';
import { moneyJson, paymentJson, saleJson } from './submissions.ts';

/** What a test knows of the world in which it asks a route. */
export interface RouteWorld {
  readonly chain: string;
  readonly eventId: string;
  readonly saleId: string;
}

/** Who may use a route, and how a test asks it. */
export interface RouteRule {
  readonly route: string;
  readonly roles: 'everybody' | readonly ClientRole[];
  /**
   * How the route asks for the account: `named` (it stands in the request: 403 for a client that is not bound to it), `own` (the answer has
   * the client's own alone), `none` (nothing in it is of an account, or the role itself is of HMRC for all of them).
   */
  readonly account: 'named' | 'own' | 'none';
  /** The path without its parameters' names; the route's own path where it has none. */
  readonly path?: (world: RouteWorld) => string;
  readonly body?: (world: RouteWorld) => unknown;
  /** The status for a client that may. */
  readonly status: number;
  /** The status and code for a client with the role, bound to another account; what it may have where left out. */
  readonly stranger?: readonly [number, string];
  /** Of HMRC's own API: its errors are worded by HMRC. */
  readonly isMtd?: true;
  /** Needs no key, and refuses a wrong one. */
  readonly keyIsOptional?: true;
}

const PAYER = ['payer', 'operator'] as const;
const CHAINS = ['payer'] as const;
const HMRC = ['analyst', 'operator'] as const;
const OPERATOR = ['operator'] as const;
const NOT_YOURS = [403, 'ACCOUNT_NOT_YOURS'] as const;
/** Posted to the gateway beside the payer's node, so of accounts that the node does not follow. */
export const UNFOLLOWED = ['paye:123/CD789', 'vat:123456727'] as const;
const EMPLOYER = 'paye:123/AB456';
const TRADER = 'vat:101747696';
const MTD = '/organisations/vat/101747696';
const MTD_STRANGER = [403, 'CLIENT_OR_AGENT_NOT_AUTHORISED'] as const;

function mtd(route: string, path: string, status: number): RouteRule {
  const made = { route, roles: PAYER, account: 'named', path: () => `${MTD}/${path}`, status, isMtd: true } as const;
  return { ...made, stranger: MTD_STRANGER };
}

function employerViews(root: string): readonly RouteRule[] {
  const views = [
    ['months/:month', 'months/2026-27-M08', 200],
    ['employments/:worksNumber', 'employments/W-1001', 200],
    ['employments/:worksNumber/payslips/:which', 'employments/W-1001/payslips/latest', 200],
  ] as const;
  return views.map(([name, path, status]) => ({
    route: `GET ${root}/:ref/${name}`,
    roles: PAYER,
    account: 'named',
    path: () => `${root}/123-AB456/${path}`,
    status,
    stranger: NOT_YOURS,
  }));
}

function traderViews(): readonly RouteRule[] {
  const root = '/payer/v1/vat';
  return ['', '/:period', '/:period/events'].map((name) => ({
    route: `GET ${root}/:vrn/periods${name}`,
    roles: PAYER,
    account: 'named',
    path: () => `${root}/101747696/periods${name.replace(':period', 'current')}`,
    status: 200,
    stranger: NOT_YOURS,
  }));
}

/** Every route of every service. A route that is missing here fails the test: say who may use it, the fewest who must. */
export const ROUTE_RULES: readonly RouteRule[] = [
  { route: 'GET /health/live', roles: 'everybody', account: 'none', status: 200 },
  { route: 'GET /health/ready', roles: 'everybody', account: 'none', status: 200 },
  { route: 'GET /metrics', roles: 'everybody', account: 'none', status: 200 },

  {
    route: 'POST /v1/paye/events',
    roles: PAYER,
    account: 'named',
    body: () => paymentJson({ payeReference: '123/CD789' }),
    status: 202,
    stranger: NOT_YOURS,
  },
  {
    route: 'POST /v1/vat/events',
    roles: PAYER,
    account: 'named',
    body: () => saleJson({ vrn: '123456727' }),
    status: 202,
    stranger: NOT_YOURS,
  },
  {
    route: 'POST /v1/payments',
    roles: ['bank'],
    account: 'named',
    body: () => moneyJson({ account: UNFOLLOWED[1] }),
    status: 202,
  },
  {
    route: 'GET /v1/receipts/:account/:eventId',
    roles: PAYER,
    account: 'named',
    path: ({ eventId }) => `/v1/receipts/paye:123-AB456/${eventId}`,
    status: 200,
    stranger: NOT_YOURS,
  },

  {
    route: 'GET /v1/events',
    roles: PAYER,
    account: 'named',
    path: () => `/v1/events?account=${encodeURIComponent(EMPLOYER)}&from=0`,
    status: 200,
    stranger: NOT_YOURS,
  },

  { route: 'GET /tax/v1/rejections', roles: OPERATOR, account: 'none', status: 200 },
  {
    route: 'GET /tax/v1/rejections/:position',
    roles: OPERATOR,
    account: 'none',
    path: () => '/tax/v1/rejections/0-0',
    status: 404,
  },
  {
    route: 'POST /tax/v1/rejections/redrive',
    roles: OPERATOR,
    account: 'none',
    body: () => ({ positions: ['0-0'] }),
    status: 404,
  },
  { route: 'POST /tax/v1/rebuild', roles: OPERATOR, account: 'none', status: 200 },
  { route: 'GET /tax/v1/status', roles: HMRC, account: 'none', status: 200 },

  {
    route: 'POST /ledger/v1/chains',
    roles: CHAINS,
    account: 'named',
    body: () => ({ account: EMPLOYER }),
    status: 200,
    stranger: NOT_YOURS,
  },
  {
    route: 'POST /ledger/v1/chain-registrations',
    roles: CHAINS,
    account: 'own',
    body: () => ({ accounts: [EMPLOYER, TRADER] }),
    status: 200,
  },
  {
    route: 'POST /ledger/v1/pull',
    roles: CHAINS,
    account: 'named',
    body: ({ chain }) => ({ chains: [{ chain, from: 0 }], verified: 0 }),
    status: 200,
    stranger: NOT_YOURS,
  },
  { route: 'GET /ledger/v1/changes', roles: CHAINS, account: 'own', status: 200 },
  {
    route: 'GET /ledger/v1/chains/:chain/blocks',
    roles: CHAINS,
    account: 'named',
    path: ({ chain }) => `/ledger/v1/chains/${chain}/blocks`,
    status: 200,
    stranger: NOT_YOURS,
  },
  {
    route: 'POST /ledger/v1/acknowledgements',
    roles: CHAINS,
    account: 'named',
    body: ({ chain }) => ({
      note: 'no note',
      heads: [{ chain, seq: 0, blockHash: Buffer.alloc(32).toString('base64') }],
    }),
    status: 422,
    stranger: NOT_YOURS,
  },
  { route: 'GET /ledger/v1/checkpoint', roles: 'everybody', account: 'none', status: 200 },
  {
    route: 'GET /ledger/v1/consistency',
    roles: ['payer', 'operator', 'analyst'],
    account: 'none',
    path: () => '/ledger/v1/consistency?from=0&to=1',
    status: 200,
  },
  { route: 'GET /ledger/v1/stream', roles: CHAINS, account: 'none', status: 200 },
  { route: 'GET /ledger/v1/held', roles: OPERATOR, account: 'none', status: 200 },
  { route: 'POST /ledger/v1/rebuild', roles: OPERATOR, account: 'none', status: 200 },

  {
    route: 'POST /payer/v1/events/status',
    roles: PAYER,
    account: 'own',
    body: () => ({ events: [] }),
    status: 422,
  },
  {
    route: 'POST /payer/v1/events/:tax',
    roles: PAYER,
    account: 'named',
    path: () => '/payer/v1/events/paye',
    body: () => paymentJson({ worksNumber: 'W-2' }),
    status: 202,
    stranger: [422, 'INPUT_INVALID'],
  },
  { route: 'GET /payer/v1/outbox', roles: PAYER, account: 'none', status: 200 },
  { route: 'POST /payer/v1/outbox/resend', roles: PAYER, account: 'own', body: () => ({}), status: 202 },
  { route: 'GET /payer/v1/accounts', roles: PAYER, account: 'own', status: 200 },
  {
    route: 'GET /payer/v1/accounts/:account/statement',
    roles: PAYER,
    account: 'named',
    path: () => '/payer/v1/accounts/paye:123-AB456/statement',
    status: 200,
    stranger: NOT_YOURS,
  },
  {
    route: 'GET /payer/v1/accounts/:account/copy',
    roles: PAYER,
    account: 'named',
    path: () => '/payer/v1/accounts/paye:123-AB456/copy',
    status: 200,
    stranger: NOT_YOURS,
  },
  {
    route: 'POST /payer/v1/accounts/:account/state',
    roles: PAYER,
    account: 'named',
    path: () => '/payer/v1/accounts/paye:123-AB456/state',
    body: () => ({ keys: [] }),
    status: 200,
    stranger: NOT_YOURS,
  },
  {
    route: 'GET /payer/v1/vat/:vrn/tills/:tillId',
    roles: PAYER,
    account: 'named',
    path: () => '/payer/v1/vat/101747696/tills/T1',
    status: 200,
    stranger: NOT_YOURS,
  },
  ...employerViews('/payer/v1/paye/accounts'),
  ...employerViews('/v1/paye/accounts'),
  { route: 'GET /payer/v1/divergences', roles: PAYER, account: 'own', status: 200 },
  {
    route: 'GET /payer/v1/divergences/:number',
    roles: PAYER,
    account: 'own',
    path: () => '/payer/v1/divergences/1',
    status: 404,
  },
  {
    route: 'POST /payer/v1/divergences/:number/retry',
    roles: PAYER,
    account: 'own',
    path: () => '/payer/v1/divergences/1/retry',
    status: 404,
  },
  {
    route: 'GET /payer/v1/events/:eventId',
    roles: PAYER,
    account: 'own',
    path: ({ eventId }) => `/payer/v1/events/${eventId}`,
    status: 200,
    stranger: [404, 'NOT_FOUND'],
  },
  ...traderViews(),
  mtd('GET /organisations/vat/:vrn/obligations', 'obligations?from=2026-10-01&to=2026-12-31', 200),
  mtd('POST /organisations/vat/:vrn/returns', 'returns', 400),
  mtd('GET /organisations/vat/:vrn/returns/:periodKey', 'returns/26A4', 404),
  mtd('GET /organisations/vat/:vrn/liabilities', 'liabilities?from=2026-10-01&to=2026-11-30', 404),
  mtd('GET /organisations/vat/:vrn/payments', 'payments?from=2026-10-01&to=2026-11-30', 404),
  mtd('GET /organisations/vat/:vrn/penalties', 'penalties', 200),
  mtd('GET /organisations/vat/:vrn/financial-details/:chargeReference', 'financial-details/XM002610011594', 404),
  mtd('GET /organisations/vat/:vrn/information', 'information', 404),

  { route: 'GET /reconciliation/v1/summary', roles: HMRC, account: 'none', status: 200 },
  { route: 'GET /reconciliation/v1/exceptions', roles: HMRC, account: 'none', status: 200 },
  { route: 'POST /reconciliation/v1/rebuild', roles: OPERATOR, account: 'none', status: 200 },
  { route: 'GET /reconciliation/v1/live', roles: HMRC, account: 'none', status: 200 },

  { route: 'GET /', roles: 'everybody', account: 'none', status: 200 },
  { route: 'GET /assets/treasury.js', roles: 'everybody', account: 'none', status: 200 },
  { route: 'GET /assets/treasury.css', roles: 'everybody', account: 'none', status: 200 },
  { route: 'GET /treasury/v1/live', roles: 'everybody', account: 'none', status: 200, keyIsOptional: true },
  { route: 'GET /treasury/v1/view', roles: 'everybody', account: 'none', status: 200 },
];
