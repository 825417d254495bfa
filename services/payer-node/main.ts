import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { payerNodeService } from './payer-node-service.ts';

await runService(payerNodeService);
