import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { projectRoot } from './project-root.ts';

export interface SchemaFile {
  /** `till-event.v1`. */
  readonly name: string;
  /** The file's name within the schemas folder, for messages to people. */
  readonly file: string;
  /** 0 for the schema in force, else the number of the release in `history/`. */
  readonly release: number;
  /** The file's own text. */
  readonly text: string;
  readonly type: avro.Type;
}

const RELEASE = /^(.+\.v\d+)\.release-(\d+)\.avsc$/;

/** Every schema in force and every released version of it. */
export function readSchemaFiles(folder: string = join(projectRoot(), 'schemas')): SchemaFile[] {
  const current = avroFiles(folder).map((file) => ({
    ...parse(folder, file),
    name: file.slice(0, -'.avsc'.length),
    release: 0,
  }));
  const released = avroFiles(join(folder, 'history')).flatMap((file) => {
    const match = RELEASE.exec(file);
    if (match === null) throw new Error(`schemas/history/${file} is not named <schema>.release-<n>.avsc`);
    return [
      {
        ...parse(join(folder, 'history'), file),
        file: `history/${file}`,
        name: match[1] ?? '',
        release: Number(match[2]),
      },
    ];
  });
  return [...current, ...released];
}

function avroFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.avsc'))
    .sort();
}

function parse(folder: string, file: string): Pick<SchemaFile, 'file' | 'text' | 'type'> {
  const text = readFileSync(join(folder, file), 'utf8');
  return { file, text, type: avro.Type.forSchema(JSON.parse(text)) };
}
