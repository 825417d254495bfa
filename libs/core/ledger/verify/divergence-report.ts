import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { type Account, isAccount } from '../../identity/account.ts';
import { DIVERGENCE_CODES, type Divergence } from './divergence.ts';
import type { BlockTexts } from './verify-block.ts';

/** A block as evidence: its exact texts and bytes, and, where one is held, the proof file (slot tag as `extra`) that it is in the log. */
export interface BlockEvidence {
  readonly block: BlockTexts;
  readonly proof: string | null;
}

/** One of the two versions, as far as it is held. Blocks are of one chain in the order of seq. */
export interface Version {
  /** A signed checkpoint (note text). */
  readonly checkpoint: string | null;
  readonly blocks: readonly BlockEvidence[];
}

/**
 * What a payer's node writes when a check fails: both versions, whole, so that a third party can judge with nothing but the ledger's
 * verifier key (check-divergence.ts). It holds the payer's amounts: it is the payer's to show.
 */
export interface DivergenceReport {
  /** RFC 3339 UTC, milliseconds. */
  readonly madeAt: string;
  readonly ledgerName: string;
  readonly origin: string;
  readonly ledgerVerifierKey: string;
  readonly account: Account | null;
  readonly chain: string | null;
  readonly findings: readonly Divergence[];
  /** What was held and verified before. */
  readonly held: Version;
  /** What came and failed. */
  readonly came: Version;
  /** The consistency proof that was offered between the two checkpoints; empty where none was. */
  readonly consistency: readonly Uint8Array[];
}

export const REPORT_FORMAT = 'tallystick/divergence/v1';
export const REPORT_CHARACTERS_MAX = 64 * 1024 * 1024;

/** JSON text, bytes in base64. */
export function printDivergenceReport(report: DivergenceReport): string {
  const { held, came, consistency, ...plain } = report;
  const document = {
    format: REPORT_FORMAT,
    ...plain,
    held: plainVersion(held),
    came: plainVersion(came),
    consistency: consistency.map(toBase64),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Throws DIVERGENCE_REPORT_MALFORMED for anything that printDivergenceReport would not print, white space apart. */
export function parseDivergenceReport(text: string): DivergenceReport {
  try {
    if (text.length > REPORT_CHARACTERS_MAX) throw malformed('its size');
    const document = recordOf(JSON.parse(text), 'report');
    if (document.format !== REPORT_FORMAT) throw malformed('format');
    const accountText = textOrNull(document.account, 'account');
    if (accountText !== null && !isAccount(accountText)) throw malformed('account');
    return {
      madeAt: textOf(document.madeAt, 'madeAt'),
      ledgerName: textOf(document.ledgerName, 'ledgerName'),
      origin: textOf(document.origin, 'origin'),
      ledgerVerifierKey: textOf(document.ledgerVerifierKey, 'ledgerVerifierKey'),
      account: accountText,
      chain: textOrNull(document.chain, 'chain'),
      findings: listOf(document.findings, 'findings').map(findingOf),
      held: versionOf(document.held, 'held'),
      came: versionOf(document.came, 'came'),
      consistency: listOf(document.consistency, 'consistency').map((hash) => bytesOf(hash, 'consistency', 32)),
    };
  } catch (cause) {
    throw cause instanceof TallyError && cause.code === 'DIVERGENCE_REPORT_MALFORMED' ? cause : malformed('', cause);
  }
}

function plainVersion(version: Version): unknown {
  return {
    checkpoint: version.checkpoint,
    blocks: version.blocks.map(({ block, proof }) => ({
      header: block.header,
      totals: block.totals,
      entries: block.entries.map(toBase64),
      proof,
    })),
  };
}

function versionOf(value: unknown, field: string): Version {
  const version = recordOf(value, field);
  return {
    checkpoint: textOrNull(version.checkpoint, `${field}/checkpoint`),
    blocks: listOf(version.blocks, `${field}/blocks`).map((one) => {
      const block = recordOf(one, `${field}/blocks`);
      return {
        block: {
          header: textOf(block.header, `${field}/blocks/header`),
          totals: textOf(block.totals, `${field}/blocks/totals`),
          entries: listOf(block.entries, `${field}/blocks/entries`).map((entry) => bytesOf(entry, 'entries')),
        },
        proof: textOrNull(block.proof, `${field}/blocks/proof`),
      };
    }),
  };
}

function findingOf(value: unknown): Divergence {
  const finding = recordOf(value, 'findings');
  const code = DIVERGENCE_CODES.find((known) => known === finding.code);
  const accountText = textOrNull(finding.account, 'findings/account');
  if (code === undefined || (accountText !== null && !isAccount(accountText))) throw malformed('findings');
  return {
    code,
    account: accountText,
    chain: textOrNull(finding.chain, 'findings/chain'),
    seq: countOrNull(finding.seq, 'findings/seq'),
    entryIndex: countOrNull(finding.entryIndex, 'findings/entryIndex'),
    eventId: textOrNull(finding.eventId, 'findings/eventId') as Divergence['eventId'],
    field: textOf(finding.field, 'findings/field'),
    expected: textOf(finding.expected, 'findings/expected'),
    found: textOf(finding.found, 'findings/found'),
  };
}

function recordOf(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(field);
  return value as Readonly<Record<string, unknown>>;
}

function listOf(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(field);
  return value;
}

function textOf(value: unknown, field: string): string {
  if (typeof value !== 'string') throw malformed(field);
  return value;
}

function textOrNull(value: unknown, field: string): string | null {
  return value === null ? null : textOf(value, field);
}

function countOrNull(value: unknown, field: string): number | null {
  if (value === null) return null;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(field);
  return value;
}

function bytesOf(value: unknown, field: string, bytes?: number): Uint8Array {
  return fromBase64(textOf(value, field), bytes);
}

function malformed(field: string, cause?: unknown): TallyError {
  return new TallyError('DIVERGENCE_REPORT_MALFORMED', `not a divergence report: ${field}`, { field }, { cause });
}
