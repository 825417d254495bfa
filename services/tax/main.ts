import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { taxService } from './tax-service.ts';

await runService(taxService);
