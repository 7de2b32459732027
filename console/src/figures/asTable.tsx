import { useSpeech } from '../text/say.tsx';

export type Cell = string | number;
export type TableOf = { columns: readonly string[]; rows: readonly (readonly Cell[])[] };

/** What a plot shows, in numbers: for who cannot see it, and for who wants to know exactly. */
export function AsTable({ title, table: { columns, rows } }: { title: string; table: TableOf }) {
  const { say, format } = useSpeech();
  const text = (cell: Cell): string => (typeof cell === 'number' ? format.number(cell) : cell);

  return (
    <details class="as-table">
      <summary>{say.figures.table}</summary>
      <div class="as-table-box" tabIndex={0} role="region" aria-label={`${title}: ${say.figures.table}`}>
        <table class="plain">
          <thead>
            <tr>
              {columns.map((each) => (
                <th key={each} scope="col">
                  {each}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([first = '', ...rest]) => (
              <tr key={[first, ...rest].join('\t')}>
                <th scope="row">{text(first)}</th>
                {rest.map((cell, index) => (
                  <td key={columns[index + 1]}>{text(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
