import type { ServiceDefinition } from '../../libs/adapters/runtime/service.ts';
import { openTax, type TaxService } from './create-tax.ts';

/** The tax service; several processes share the partitions. */
export const taxService: ServiceDefinition<TaxService> = {
  name: 'tax',
  port: 8081,
  async open(context) {
    const log = await context.log();
    const store = await context.store('tax');
    return openTax({}, { ...context, log, store, clients: context.clients(), rules: context.rules().rules });
  },
};
