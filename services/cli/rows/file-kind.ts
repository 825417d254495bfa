import { TallyError } from '../../../libs/core/errors/tally-error.ts';

/** How the rows of a text file are written. */
export type RowFormat = 'csv' | 'jsonLines' | 'jsonDocument';

const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
const OLE = Buffer.from([0xd0, 0xcf, 0x11, 0xe0]);
const PDF = Buffer.from('%PDF-');
const AS_CSV = 'save it as "CSV UTF-8" and import that';

/** Throws FILE_NOT_TEXT where the first bytes are those of a spreadsheet, an archive or a document, saying which and what to do. */
export function assertIsText(head: Buffer, file: string, hasZeroBytes: boolean): void {
  const refused = (what: string): TallyError => new TallyError('FILE_NOT_TEXT', `${file} ${what}`, { file });
  if (startsWith(head, ZIP)) {
    const isSheet = head.includes('xl/') || head.includes('[Content_Types].xml') || head.includes('opendocument');
    throw refused(
      isSheet ? `is a spreadsheet: open it and ${AS_CSV}` : 'is a zip archive: unpack it and import the file in it',
    );
  }
  if (startsWith(head, OLE)) throw refused(`is an old Excel spreadsheet (.xls): open it and ${AS_CSV}`);
  if (startsWith(head, PDF)) throw refused('is a PDF: export the figures again as CSV');
  if (hasZeroBytes)
    throw refused(`is not text in UTF-8: ${AS_CSV}, or name its encoding with --encoding (utf-16le, say)`);
}

/** Throws FILE_IS_XML, saying which of the known kinds, where the text is XML or a web page. */
export function assertIsNoMarkup(text: string, file: string): void {
  if (!text.startsWith('<')) return;
  const what = MARKUP.find(({ sign }) => sign.test(text)) ?? {
    says: 'is XML',
    next: 'export the same figures as CSV or JSON',
  };
  throw new TallyError('FILE_IS_XML', `${file} ${what.says}, and an import takes CSV or JSON: ${what.next}`, { file });
}

const MARKUP: readonly { readonly sign: RegExp; readonly says: string; readonly next: string }[] = [
  {
    sign: /POSLog/,
    says: 'is XML (a POSLog of a till)',
    next: 'export the receipts from the till’s back office as CSV, a line a row',
  },
  {
    sign: /GovTalk|IRenvelope|FullPaymentSubmission|EmployerPaymentSummary/,
    says: 'is XML (a submission to HMRC)',
    next: 'export the payments from the payroll software as CSV, a payment a row',
  },
  {
    sign: /^<!doctype html|^<html|<table/i,
    says: 'is a web page, whatever its name ends in',
    next: 'open it in a spreadsheet and save it as "CSV UTF-8"',
  },
];

/**
 * JSON lines where the first line is an object by itself or another object follows on the next; one JSON document where it begins with `[`,
 * or with an object that goes on over lines, or where the mapping names its rows; CSV otherwise.
 */
export function formatOfText(text: string, namesRows: boolean): RowFormat {
  const start = text.trimStart();
  if (start.startsWith('[') && /^\[\s*[[{\]]/.test(start)) return 'jsonDocument';
  if (!start.startsWith('{')) return 'csv';
  if (namesRows) return 'jsonDocument';
  const [first = '', ...rest] = start.split('\n');
  if (first.trimEnd().endsWith('}') || rest.length === 0) return 'jsonLines';
  const next = rest.find((line) => line.trim() !== '') ?? '';
  return next.startsWith('{') ? 'jsonLines' : 'jsonDocument';
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.subarray(0, prefix.length).equals(prefix);
}
