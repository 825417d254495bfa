import { HOUSE } from './rooms.ts';

/** The page that shows the house. */
export const PAGE = 'docs/architecture.md';

const BEGIN = '<!-- rooms: drawn from test/house/rooms.ts by `npm run rooms` -->';
const END = '<!-- /rooms -->';

/** A page with the picture and the table of the rooms in place of those that it has. Throws where the page has no place for them. */
export function drawnInto(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the rooms: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${elevation()}\n${tables()}\n${page.slice(end)}`;
}

/** The house from the front: each floor a line, the highest first; a room uses what is below it. */
function elevation(): string {
  const lines = [...HOUSE].reverse().flatMap(({ name, rooms }) => {
    const floors = [...new Set(rooms.map(({ floor }) => floor))].sort((a, b) => b - a);
    return [
      `── ${name} ${'─'.repeat(Math.max(0, 100 - name.length))}`,
      ...floors.map((floor) => {
        const names = rooms.filter((room) => room.floor === floor).map(({ folder }) => shortOf(folder, name));
        return `${String(floor).padStart(3)} │ ${names.join('   ')}`;
      }),
    ];
  });
  return ['```', ...lines, '```', ''].join('\n');
}

function shortOf(folder: string, building: string): string {
  return folder === building ? folder : folder.slice(building.length + 1);
}

function tables(): string {
  return HOUSE.map(({ name, rule, rooms }) => {
    const rows = [...rooms].sort((a, b) => a.floor - b.floor || (a.folder < b.folder ? -1 : 1));
    const lines = rows.map(
      ({ folder, floor, holds }) => `| ${floor} | [${shortOf(folder, name)}](../${folder}) | ${holds} |`,
    );
    return [`### ${name}`, '', rule, '', '| floor | room | holds |', '|---|---|---|', ...lines, ''].join('\n');
  }).join('\n');
}
