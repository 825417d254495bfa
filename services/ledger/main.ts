import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { ledgerService } from './ledger-service.ts';

await runService(ledgerService);
