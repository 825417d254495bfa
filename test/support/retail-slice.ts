import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

/** The first rows of the Online Retail file as a CSV of its own, cut between invoices. Gives how many invoices it has. */
export async function writeRetailSlice(realData: string, file: string, rowsMax: number): Promise<number> {
  const source = createReadStream(join(realData, 'pos/online_retail_2010-12_2011-12.csv.gz'));
  const lines = createInterface({ input: source.pipe(createGunzip()), crlfDelay: Number.POSITIVE_INFINITY });
  const out = createWriteStream(file);
  const invoices = new Set<string>();
  let rows = 0;
  let last = '';
  for await (const line of lines) {
    const invoice = line.slice(0, line.indexOf(','));
    if (rows > rowsMax && invoice !== last) break;
    if (rows > 0) invoices.add(invoice);
    out.write(`${line}\n`);
    last = invoice;
    rows += 1;
  }
  source.destroy();
  await new Promise<void>((resolve) => out.end(resolve));
  return invoices.size;
}
