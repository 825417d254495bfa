import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { reconciliationService } from './reconciliation-service.ts';

await runService(reconciliationService);
