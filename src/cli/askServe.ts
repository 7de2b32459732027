import type { UserTask } from '../ari/events.ts';
import { PreavisError } from '../core/errors.ts';
import { isUlid, type CallId } from '../core/ids.ts';
import { askServe, asks } from '../services/askServe.ts';
import { withCatalogue } from './withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from './context.ts';

type Command = (context: CommandContext, id: string, options: Json) => Promise<ExitCode>;

/** A command that asks this of a call that goes on, and returns once it is done; exit 3 where it is done in part. */
export const askingServe =
  (task: UserTask): Command =>
  (context, id, { json }) =>
    withCatalogue<ExitCode>(context, async (catalogue, config) => {
      const call = isUlid(id) ? await catalogue.calls.find(id as CallId) : undefined;
      if (call === undefined) throw new PreavisError('call_unknown', 'there is no call with this id');
      const { fields, words, isFull } = await askServe(asks[task], call, { config, catalogue });
      answer(context, json, { call: call.id, ...fields }, () => [words]);

      return isFull ? 0 : 3;
    });
