/** As decide.enumeration.optIn.test.ts, where the question is asked in two languages: a yes to the first spares the second. */
import { testEveryShape } from '../../../support/enumeration/everyShape.ts';
import { shapesOf } from '../../../support/enumeration/shapes.ts';

describe('every reachable state', () => {
  testEveryShape(
    shapesOf('optIn').filter(({ languages }) => languages.length > 1),
    { recorded: 240_868, withMenu: 42_039, leftOut: 366 },
  );
});
